import Foundation
import Testing
import Training

extension FaultTests {
  /// A run that stands still ends by itself, and says who waits for whom.
  @Suite("The watchdog") struct Watchdogs {
    private let run: TinyRun

    init() throws { run = try TinyRun() }

    private func command(_ fault: String, timeout: Int, iterations: Int) -> [String] {
      run.command(
        "work", ranks: 2, batch: 2, iterations: iterations,
        options: [
          "mpi.inject=\(fault)", "mpi.stall_timeout=\(timeout)", "checkpoint_config.interval=1",
          "checkpoint_config.by_epoch=false",
        ])
    }

    @Test(
      "ends a run of which a rank hangs or is stopped, with one message; then it goes on",
      arguments: [("stall rank=1 step=3", 0, 1), ("stop rank=0 step=3", 1, 0)])
    func stalls(_ fault: String, _ waiting: Int, _ awaited: Int) throws {
      let command = command(fault, timeout: 6, iterations: 4)
      let outcome = try run.program.run(command, ranks: 2)
      #expect(outcome.code == 76, "\(outcome)")
      let host = ProcessInfo.processInfo.hostName
      let sentence = "; rank \(waiting) (\(host)) waits for rank \(awaited) (\(host))"
      #expect(outcome.errors.contains("] warning: no rank got further for "), "\(outcome)")
      #expect(outcome.errors.components(separatedBy: "] error: no rank got further for ").count == 2, "\(outcome)")
      #expect(outcome.errors.contains(sentence), "\(outcome)")
      #expect(outcome.errors.contains("rank \(awaited) (\(host)): step 3, training, since "), "\(outcome)")
      #expect(!outcome.errors.contains("bug of rcnn-train"), "\(outcome)")
      let files = try run.folder.names(in: "work").filter { $0.hasPrefix("stall_") }
      try #require(files.count == 1, "\(outcome)")
      #expect(String(decoding: try run.folder.read("work/\(files[0])"), as: UTF8.self).contains(sentence))

      let resumed = try run.program.run(command + ["--resume", "auto"], ranks: 2)
      #expect(resumed.code == 0, "\(resumed)")
      #expect(try run.checkpoint("work/latest.h5").iteration == 4)
    }

    @Test("TERM to mpirun ends a run of which a rank is stopped") func termination() throws {
      let running = try run.program.start(
        command("stop rank=1 step=3", timeout: 6, iterations: 100_000), ranks: 2)
      // The checkpoint before it is written beside the training.
      try running.wait { run.folder.exists("work/inject.fired") && run.folder.exists("work/iter_2.h5") }
      running.send(SIGTERM)
      #expect(try running.wait().code != 0)
      #expect(try run.checkpoint("work/iter_2.h5").iteration == 2)
    }

    @Test("A rank that is slow, and one whose messages are late, is no stall") func slowRank() throws {
      let outcome = try run.program.run(
        command("[slow rank=1 step=1 ms=300, delay rank=0 step=2 ms=300]", timeout: 30, iterations: 4), ranks: 2)
      #expect(outcome.code == 0, "\(outcome)")
      #expect(!outcome.errors.contains("no rank got further"), "\(outcome)")
    }

    @Test("0 switches it off, and less is refused") func timeouts() throws {
      let off = try run.program.run(command("slow rank=0 step=1 ms=1", timeout: 0, iterations: 1), ranks: 2)
      #expect(off.code == 0, "\(off)")
      let refused = try run.program.run(command("slow rank=0 step=1 ms=1", timeout: -1, iterations: 1), ranks: 2)
      #expect(refused.code == 78 && refused.errors.contains("'mpi.stall_timeout' is -1, expected"), "\(refused)")
    }
  }

  @Suite("Collectives") struct Collectives {
    @Test("Ranks with SyncBN agree on the order of collectives, whenever their buckets start")
    func syncBN() throws {
      let run = try TinyRun()
      let log = try run.train(
        "work", ranks: 2, batch: 2, iterations: 12,
        options: [
          "model.backbone.norm_cfg={type: SyncBN, requires_grad: true}", "model.backbone.norm_eval=false",
          "mpi.bucket_size_mb=0.001",
        ])
      #expect(log.steps.count == 12)
    }

    @Test("A rank in another collective than the others ends the run") func swapped() throws {
      let run = try TinyRun()
      let outcome = try run.program.run(
        run.command("work", ranks: 2, batch: 2, iterations: 3, options: ["mpi.inject=swap rank=1 step=2"]), ranks: 2)
      #expect(outcome.code == 70, "\(outcome)")
      let message =
        "error: the ranks went through different collectives in step 2: rank 1 was in "
        + "'gradients swapped by mpi.inject (1 numbers)' where rank 0 was in 'nothing more'"
      #expect(outcome.errors.contains(message), "\(outcome)")
    }
  }
}
