import Foundation
import TestSupport
import Testing
import Training

extension ProgramTests {
  @Suite("Resuming with other optimizers", .long) struct OptimizerResume {
    private let run: TinyRun

    init() throws { run = try TinyRun() }

    private static let adam = "optimizer={type: Adam, lr: 0.001, amsgrad: true, weight_decay: 0.01}"
    private static let adamW =
      "optimizer={type: AdamW, lr: 0.001, paramwise_cfg: {custom_keys: {backbone: {lr_mult: 0.1}}}}"
    private static let means = "custom_hooks=[{type: EMAHook, momentum: 0.3, interval: 2, warm_up: 3}]"
    private static let window =
      "optimizer_config={type: GradientCumulativeOptimizerHook, cumulative_iters: 4, grad_clip: {max_norm: 10}}"

    private func options(_ interval: Int) -> [String] {
      ["checkpoint_config.interval=\(interval)", "checkpoint_config.by_epoch=false"]
    }

    /// 22 images in batches of 4; an epoch ends in the window of iterations 4 to 7, iteration 7 is its third.
    @Test(
      "A run goes on bit for bit",
      arguments: [
        [adam], [adamW, means], [window], [adamW, means, window], [window, means, "mpi.reduction=exact"],
      ])
    func resumeIsExact(_ options: [String]) throws {
      let all = options + self.options(7)
      let straight = try run.train("straight", ranks: 2, batch: 4, iterations: 10, options: all)
      let log = try run.train(
        "other", ranks: 2, batch: 4, iterations: 10, options: all, arguments: ["--resume", "straight/iter_7.h5"])
      log.expectSameLosses(as: straight.steps[7...], tolerance: 0, "resumed")
      let (expected, actual) = (try run.checkpoint("straight/iter_10.h5"), try run.checkpoint("other/iter_10.h5"))
      #expect(actual == expected)
      let middle = try run.checkpoint("straight/iter_7.h5")
      #expect(middle.formatVersion == 2 && middle.model != expected.model)
      #expect(middle.progress["accumulated_iterations"] == (options.contains(Self.window) ? 3 : nil))
      #expect(expected.progress["optimizer_steps"] == (options.contains(Self.window) ? 3 : 10))
      #expect(expected.holdsAverages == options.contains(Self.means))
      if options.contains(Self.adam) { #expect(expected.states.count == 3 && expected.optimizer == "Adam") }
    }

    @Test("Ranks agree on running means, and measuring with them leaves the training as it is")
    func averages() throws {
      let all = [Self.means] + options(5)
      try run.train("two", ranks: 2, batch: 4, iterations: 5, options: all + ["mpi.check_interval=1"])
      let measured = "evaluation={interval: 2, by_epoch: false, metric: bbox}"
      try run.train("measured", ranks: 2, batch: 4, iterations: 5, options: all + [measured])
      let (two, other) = (try run.checkpoint("two/iter_5.h5"), try run.checkpoint("measured/iter_5.h5"))
      #expect(two.model == other.model && two.states == other.states)
      try run.train("plain", ranks: 2, batch: 4, iterations: 5, options: options(5))
      let plain = try run.checkpoint("plain/iter_5.h5")
      #expect(plain.formatVersion == 1 && plain.momenta == two.momenta)
      let arrays = Dictionary(uniqueKeysWithValues: two.model.map { ($0.name, $0.values) })
      for array in plain.model {
        #expect(arrays["ema_\(array.name.replacingOccurrences(of: ".", with: "_"))"] == array.values, "\(array.name)")
      }
      #expect(plain.model.contains { arrays[$0.name] != $0.values })
      // What is tested are the means, and nothing else need be said.
      let outcome = try run.program.succeed(["test", "tiny.yaml", "two/iter_5.h5"], ranks: 1)
      #expect(!outcome.output.contains("ema_"), "\(outcome)")
    }

    @Test("A run can't change its optimizer on the way")
    func otherOptimizer() throws {
      try run.train("plain", ranks: 1, batch: 4, iterations: 2, options: options(2))
      for (option, words) in [
        (Self.adam, "it was trained with SGD, this run has Adam"),
        ("optimizer.momentum=0", "it was trained with momentum, this run has SGD without it"),
      ] {
        let command = run.command("other", ranks: 1, batch: 4, iterations: 4, options: [option])
        let outcome = try run.program.run(command + ["--resume", "plain/iter_2.h5"], ranks: 1)
        #expect(outcome.code == 78 && outcome.errors.contains(words), "\(outcome)")
      }
    }

    /// Those of programs before there was another optimizer.
    @Test("A checkpoint that doesn't count the steps of its optimizer is resumed")
    func versionOne() throws {
      let straight = try run.train("straight", ranks: 1, batch: 4, iterations: 4, options: options(2))
      var checkpoint = try run.checkpoint("straight/iter_2.h5")
      #expect(checkpoint.formatVersion == 1 && checkpoint.progress["optimizer_steps"] == 2)
      checkpoint.progress["optimizer_steps"] = nil
      try FileManager.default.createDirectory(
        atPath: run.folder.path("old"), withIntermediateDirectories: true)
      try Data(checkpoint.image()).write(to: URL(fileURLWithPath: run.folder.path("old/iter_2.h5")))
      let log = try run.train(
        "other", ranks: 1, batch: 4, iterations: 4, options: options(2), arguments: ["--resume", "old/iter_2.h5"])
      log.expectSameLosses(as: straight.steps[2...], tolerance: 0, "resumed")
      #expect(try run.checkpoint("other/iter_4.h5") == run.checkpoint("straight/iter_4.h5"))
    }
  }
}
