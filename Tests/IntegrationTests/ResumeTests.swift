import Foundation
import TestSupport
import Testing
import Training

extension ProgramTests {
  @Suite("Resuming") struct Resume {
    private let run: TinyRun

    init() throws { run = try TinyRun() }

    /// 22 images, in batches of 4: iteration 5 is in the middle of the first epoch, 10 of the second.
    private let options = ["checkpoint_config.interval=5", "checkpoint_config.by_epoch=false"]

    @Test("A run whose ranks are killed goes on as if nothing had been, bit for bit")
    func resumeIsExact() throws {
      let straight = try run.train("straight", ranks: 2, batch: 4, iterations: 10, options: options)
      let command = run.command("killed", ranks: 2, batch: 4, iterations: 100_000, options: options)
      let killed = try run.program.start(command, ranks: 2)
      try killed.wait { run.folder.exists("killed/iter_5.h5") }
      killed.killRanks()
      #expect(try killed.wait().code != 0)
      // On a busy machine the kill may come late.
      for name in try run.folder.names(in: "killed") where name.hasPrefix("iter_") && name != "iter_5.h5" {
        try FileManager.default.removeItem(atPath: run.folder.path("killed/\(name)"))
      }

      let log = try run.train(
        "killed", ranks: 2, batch: 4, iterations: 10, options: options, arguments: ["--resume", "auto"])
      #expect(log.steps.count == 5)
      log.expectSameLosses(as: straight.steps[5...], tolerance: 0, "resumed")
      let (expected, actual) = (try run.checkpoint("straight/iter_10.h5"), try run.checkpoint("killed/iter_10.h5"))
      #expect(expected.iteration == 10 && expected.progress["images_in_epoch"] != 0)
      #expect(expected.momenta.count > 50)
      #expect(actual == expected)
    }

    @Test("A copied work directory goes on at its highest iteration, whatever times, names and the link say")
    func resumeOfACopy() throws {
      let options = ["checkpoint_config.interval=1", "checkpoint_config.by_epoch=false"]
      try run.train("straight", ranks: 1, batch: 2, iterations: 4, options: options)
      func path(_ name: String) -> String { run.folder.path("copy/\(name)") }
      try FileManager.default.createDirectory(atPath: run.folder.path("copy"), withIntermediateDirectories: true)
      for (name, copy) in [("iter_1.h5", "iter_1.h5"), ("iter_2.h5", "iter_2.h5"), ("iter_3.h5", "epoch_1.h5")] {
        try FileManager.default.copyItem(atPath: run.folder.path("straight/\(name)"), toPath: path(copy))
      }
      try CheckpointFile.link(path("latest.h5"), to: "iter_1.h5")
      for (name, age) in [("iter_1.h5", 10.0), ("iter_2.h5", 1000), ("epoch_1.h5", 100_000)] {
        try FileManager.default.setAttributes(
          [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: path(name))
      }
      try FileManager.default.copyItem(atPath: run.folder.path("copy"), toPath: run.folder.path("damaged"))

      let log = try run.train(
        "copy", ranks: 1, batch: 2, iterations: 4, options: options, arguments: ["--resume", "auto"])
      #expect(log.steps.count == 1)
      #expect(try run.checkpoint("copy/iter_4.h5") == run.checkpoint("straight/iter_4.h5"))

      try run.folder.write("cut", to: "damaged/epoch_1.h5")
      let outcome = try run.program.succeed(
        run.command("damaged", ranks: 1, batch: 2, iterations: 3, options: options) + ["--resume", "auto"], ranks: 1)
      #expect((outcome.output + outcome.errors).contains("passed over: damaged/epoch_1.h5: error: "), "\(outcome)")
      #expect(try TrainingLog(newestIn: run.folder.path("damaged")).steps.count == 1)
    }

    @Test("A run goes on on another number of ranks")
    func resumeOnFewerRanks() throws {
      let straight = try run.train("straight", ranks: 2, batch: 4, iterations: 10, options: options)
      let log = try run.train(
        "other", ranks: 1, batch: 4, iterations: 10, arguments: ["--resume", "straight/iter_5.h5"])
      log.expectSameLosses(as: straight.steps[5...], "resumed on 1 rank")
    }

    @Test(
      "HDF5's own tool finds no difference, in attributes and data sets, after a resume",
      .enabled(if: areInstalled("h5diff"), "h5diff is not installed"))
    func h5diff() throws {
      let options = ["checkpoint_config.interval=1", "checkpoint_config.by_epoch=false"]
      try run.train("straight", ranks: 2, batch: 4, iterations: 3, options: options)
      try run.train(
        "resumed", ranks: 2, batch: 4, iterations: 3, options: options, arguments: ["--resume", "straight/iter_2.h5"])
      func compare(_ first: String, _ second: String) throws -> Outcome {
        try RunningProgram(["h5diff", first, second], in: run.folder, environment: [:]).wait()
      }
      let same = try compare("straight/iter_3.h5", "resumed/iter_3.h5")
      #expect(same.code == 0 && same.output.isEmpty && same.errors.isEmpty, "\(same)")
      #expect(try compare("straight/iter_2.h5", "straight/iter_3.h5").code == 1)
    }
  }
}
