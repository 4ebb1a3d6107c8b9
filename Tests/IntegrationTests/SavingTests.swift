import Foundation
import Testing
import Training

extension FaultTests {
  /// Work that was done is never lost, and what is broken never takes its place.
  @Suite("Saving") struct Saving {
    private let run: TinyRun
    private let each = ["checkpoint_config.interval=1", "checkpoint_config.by_epoch=false"]

    init() throws { run = try TinyRun() }

    private func train(
      _ workDir: String, iterations: Int, _ options: [String], _ arguments: String...
    ) throws -> Outcome {
      try run.program.run(
        run.command(workDir, ranks: 1, batch: 2, iterations: iterations, options: options) + arguments
          + ["--single-rank"])
    }

    private func checkpoints(in workDir: String) throws -> [String] {
      try run.folder.names(in: workDir).filter { $0.hasSuffix(".h5") && $0 != "latest.h5" }
    }

    @Test("Weights that have diverged are not saved, and ranks end with the reason", arguments: [nil, 2])
    func divergedWeights(_ ranks: Int?) throws {
      let options = ["optimizer.lr=1.0e+9", "lr_config.warmup=null", "optimizer_config.grad_clip=null"]
      let outcome = try run.program.run(
        run.command("work", ranks: ranks ?? 1, batch: 2, iterations: 1, options: options), ranks: ranks)
      #expect(outcome.code == 65, "\(outcome)")
      #expect(outcome.errors.contains("work/iter_1.h5: error: not written: iteration 1 has left "), "\(outcome)")
      #expect(outcome.errors.contains("lower optimizer.lr, lengthen the warm-up or set optimizer_config.grad_clip"))
      #expect(outcome.errors.components(separatedBy: "error: ").count == 2, "\(outcome)")
      #expect(try checkpoints(in: "work").isEmpty)
    }

    @Test("A checkpoint with NaN is passed over by a folder, and refused by its name")
    func poisonedCheckpoint() throws {
      #expect(try train("work", iterations: 2, each).code == 0)
      var poisoned = try run.checkpoint("work/iter_2.h5")
      poisoned.momenta[3].values[1] = .nan
      let name = poisoned.momenta[3].name
      try CheckpointFile.write(poisoned.image(), to: run.folder.path("work/iter_2.h5"))
      let words = "work/iter_2.h5: error: it holds NaN in the momentum of '\(name)'"
      for arguments in [
        ["train", "tiny.yaml", "--resume", "work/iter_2.h5"], ["train", "tiny.yaml", "--load-from", "work/iter_2.h5"],
        ["test", "tiny.yaml", "work/iter_2.h5"], ["predict", "tiny.yaml", "work/iter_2.h5", "data/val"],
      ] {
        let refused = try run.program.run(arguments)
        #expect(refused.code == 65 && refused.errors.contains(words), "\(arguments): \(refused)")
      }
      for arguments in [["inspect", "work/iter_2.h5"], ["convert", "work/iter_2.h5", "out.pth"]] {
        let outcome = try run.program.run(arguments)
        #expect(outcome.code == 0 && outcome.output.contains("it holds NaN in the momentum of"), "\(outcome)")
      }
      let resumed = try train("work", iterations: 3, each, "--resume", "auto")
      #expect(resumed.code == 0 && resumed.output.contains("passed over: \(words)"), "\(resumed)")
      #expect(resumed.output.contains("Resuming from work/iter_1.h5"))
      #expect(try run.checkpoint("work/iter_3.h5").iteration == 3)
    }

    @Test("A save that fails is a warning; so many in a row, and the last one, end the run")
    func failingSaves() throws {
      /// A folder where a checkpoint is to be, which nobody replaces by a file, not even root.
      func block(_ name: String) throws {
        try FileManager.default.createDirectory(
          atPath: run.folder.path(name), withIntermediateDirectories: true)
      }
      try block("one/iter_2.h5")
      let one = try train("one", iterations: 3, each)
      #expect(one.code == 0, "\(one)")
      #expect(one.output.contains("one/iter_2.h5: error: the checkpoint could not be renamed"), "\(one)")
      #expect(one.output.contains("The run goes on (1 in a row; 3 end the run, mpi.save_failures)"), "\(one)")
      #expect(try run.checkpoint("one/latest.h5").iteration == 3)

      for iteration in 2...3 { try block("two/iter_\(iteration).h5") }
      let two = try train("two", iterations: 9, each + ["mpi.save_failures=2"])
      #expect(two.code == 74 && two.errors.contains("That was 2 times in a row (mpi.save_failures)"), "\(two)")
      #expect(try run.checkpoint("two/latest.h5").iteration == 1)

      try block("last/iter_3.h5")
      for way in ["true", "false"] {
        let last = try train("last", iterations: 3, each + ["mpi.async_save=\(way)"])
        #expect(last.code == 74, "\(last)")
        #expect(last.errors.contains("The run ends here without it: the newest one is iter_2.h5"), "\(last)")
      }
      #expect(try run.folder.names(in: "last").allSatisfy { !$0.hasPrefix(".") })
    }

    @Test(
      "On a full disk the run goes on, and says so at its start",
      .enabled(if: SmallDisk.canBeMade, "only root may mount a small disk, and not everywhere"))
    func fullDisk() throws {
      let disk = try SmallDisk(run.folder.path("small"), kibibytes: 1024)
      defer { disk.remove() }
      #expect(FileManager.default.createFile(atPath: "\(disk.path)/filler", contents: Data(count: 820 << 10)))
      let outcome = try train(
        "small/work", iterations: 3, ["checkpoint_config.interval=2", "checkpoint_config.by_epoch=false"])
      #expect(outcome.output.contains("MiB are free, but two checkpoints want"), "\(outcome)")
      #expect(outcome.output.contains("iter_2.h5: error: the checkpoint could not be written"), "\(outcome)")
      #expect(outcome.output.contains("The run goes on (1 in a row; 3 end the run"), "\(outcome)")
      #expect(outcome.code == 74, "\(outcome)")
      #expect(outcome.errors.contains("The run ends here without it: there is none"), "\(outcome)")
    }

    @Test("A validation that the run before didn't come to is made up for, once; a finished run does nothing")
    func missedValidation() throws {
      let options = ["evaluation={interval: 1}", "runner.max_epochs=1", "checkpoint_config.interval=1"]
      let first = try train("work", iterations: 1000, options, "--no-validate")
      #expect(first.code == 0 && !first.output.contains("Epoch(val)"), "\(first)")
      let saved = try run.folder.read("work/epoch_1.h5")
      let second = try train("work", iterations: 1000, options, "--resume", "auto")
      #expect(second.code == 0 && second.output.contains("Epoch(val) [1][6]\tbbox_mAP: "), "\(second)")
      #expect(second.output.contains("Making up for the validation"))
      #expect(!second.output.contains("Epoch [1]["))
      let third = try train("work", iterations: 1000, options, "--resume", "auto", "--seed", "9")
      #expect(third.code == 0 && !third.output.contains("Epoch(val)"), "\(third)")
      #expect(third.output.contains("The run is finished, at epoch 1, iteration "))
      #expect(third.output.contains("--seed 9 is not followed"))
      #expect(try run.folder.read("work/epoch_1.h5") == saved)
    }

    @Test("A checkpoint is saved before it is measured, and the best one is kept beside the newest")
    func bestCheckpoint() throws {
      let options = [
        "evaluation={interval: 1, save_best: auto}", "runner.max_epochs=2", "checkpoint_config={interval: 1}",
        "checkpoint_config.max_keep_ckpts=1", "mpi.async_save=false",
      ]
      let outcome = try train("work", iterations: 1000, options)
      #expect(outcome.code == 0, "\(outcome)")
      let saved = try #require(outcome.output.range(of: "Saved work/epoch_1.h5"), "\(outcome)")
      let measured = try #require(outcome.output.range(of: "Epoch(val) [1]"), "\(outcome)")
      #expect(saved.lowerBound < measured.lowerBound)
      let log = try TrainingLog(newestIn: run.folder.path("work"))
      let scores = log.validations.compactMap { $0["bbox_mAP"] }
      try #require(scores.count == 2)
      let best = scores[1] > scores[0] ? 2 : 1
      #expect(try checkpoints(in: "work") == ["best_bbox_mAP_epoch_\(best).h5", "epoch_2.h5"])
      #expect(try run.checkpoint("work/best_bbox_mAP_epoch_\(best).h5").epoch == best)

      let third = try train("work", iterations: 1000, options + ["runner.max_epochs=3"], "--resume", "auto")
      #expect(third.code == 0, "\(third)")
      #expect(third.output.contains("Epoch(val) [3]") && !third.output.contains("Epoch(val) [2]"), "\(third)")
      let all = try checkpoints(in: "work")
      #expect(all.count == 2 && all.last == "epoch_3.h5", "\(all)")
      let noted = try run.checkpoint("work/epoch_3.h5").progress
      #expect(noted["best_bbox_mAP"] == Int((scores.max()! * 1e6).rounded()) && noted["best_bbox_mAP_at"] == best)
    }

    @Test("max_keep_ckpts counts over restarts, and what killed runs left half written goes")
    func retentionOverRestarts() throws {
      let options = each + ["checkpoint_config.max_keep_ckpts=2"]
      #expect(try train("work", iterations: 2, options).code == 0)
      try run.folder.write("half", to: "work/.epoch_7.h5.elsewhere.org.77.partial")
      try run.folder.write("mine", to: "work/.notes.partial")
      for iterations in [3, 5] {
        let outcome = try train("work", iterations: iterations, options, "--resume", "auto")
        #expect(outcome.code == 0, "\(outcome)")
        let isSaid = outcome.output.contains("left half written: .epoch_7.h5.elsewhere.org.77.partial")
        #expect(isSaid == (iterations == 3), "\(outcome)")
      }
      #expect(try checkpoints(in: "work") == ["iter_4.h5", "iter_5.h5"])
      #expect(try run.folder.names(in: "work").filter { $0.hasPrefix(".") } == [".notes.partial"])
    }

    @Test("A second job does not begin in the work directory of a first; a killed one's lock is taken over")
    func oneJob() throws {
      let first = try run.program.start(
        run.command("work", ranks: 2, batch: 2, iterations: 100_000, options: each), ranks: 2)
      try first.wait { run.folder.exists("work/latest.h5") }
      let second = try train("work", iterations: 3, each)
      #expect(second.code == 74, "\(second)")
      #expect(second.errors.contains("work: error: another job works in this directory (process "), "\(second)")
      #expect(second.errors.contains(" on \(ProcessInfo.processInfo.hostName), since 20"), "\(second)")
      first.killRanks()
      #expect(try first.wait().code != 0)
      #expect(run.folder.exists("work/.lock"))
      let newest = try run.checkpoint("work/latest.h5").iteration
      let third = try train("work", iterations: newest + 2, each, "--resume", "auto")
      #expect(third.code == 0 && third.output.contains("work was left locked by process "), "\(third)")
      #expect(!run.folder.exists("work/.lock"))
    }

    @Test("A dry run says how checkpoints are written, and writes nothing") func dryRun() throws {
      for (way, words) in [("true", "beside the training, from a copy of "), ("false", "while the training waits (")] {
        let outcome = try train("dry", iterations: 1, ["mpi.async_save=\(way)"], "--dry-run")
        #expect(outcome.code == 0, "\(outcome)")
        #expect(outcome.output.contains(#/checkpoints: \d+ MiB each, written /#), "\(outcome)")
        #expect(outcome.output.contains(words), "\(outcome)")
      }
      #expect(!run.folder.exists("dry"))
    }

    @Test("A warning says that frozen layers are random") func frozenRandomLayers() throws {
      let outcome = try train("work", iterations: 1, ["model.backbone.frozen_stages=1"])
      #expect(outcome.code == 0)
      let words = "the weights are random, and model.backbone.frozen_stages: 1 keeps the first layers so"
      #expect(outcome.output.contains(words), "\(outcome)")
      let other = try train("other", iterations: 1, ["model.backbone.frozen_stages=-1"])
      #expect(!other.output.contains("the weights are random"), "\(other)")
    }
  }
}

/// A file system of its own in memory, which is soon full.
private struct SmallDisk {
  let path: String

  static let canBeMade: Bool = {
    guard getuid() == 0, let folder = try? TemporaryFolder(),
      let disk = try? SmallDisk(folder.root, kibibytes: 64)
    else { return false }
    disk.remove()
    return true
  }()

  struct Refused: Error {}

  init(_ path: String, kibibytes: Int) throws {
    self.path = path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    guard Self.run("mount", "-t", "tmpfs", "-o", "size=\(kibibytes)k", "tmpfs", path) == 0 else { throw Refused() }
  }

  func remove() { _ = Self.run("umount", "-l", path) }

  private static func run(_ command: String...) -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return -1 }
    process.waitUntilExit()
    return process.terminationStatus
  }
}
