import Testing
import Training

extension FaultTests {
  /// What would poison a run is seen before it is applied, by all ranks alike.
  @Suite("No silent divergence") struct NonFinite {
    private let run: TinyRun

    init() throws { run = try TinyRun() }

    private func start(
      _ faults: String, ranks: Int = 2, iterations: Int, options: [String] = [], arguments: [String] = []
    ) throws -> Outcome {
      let all = ["checkpoint_config.interval=1", "checkpoint_config.by_epoch=false"]
      let command = run.command(
        "work", ranks: ranks, batch: 2 * ranks, iterations: iterations,
        options: all + ["mpi.inject=\(faults)"] + options)
      return try run.program.run(command + arguments, ranks: ranks)
    }

    private func text(_ name: String) throws -> String { String(decoding: try run.folder.read(name), as: UTF8.self) }

    @Test(
      "A gradient that is not finite is never applied: the run ends with 65, and goes on from the newest checkpoint",
      arguments: [
        ("fast", #"on no rank when each repeated the step by itself"#), ("exact", #"on rank 1 with image \d+"#),
      ])
    func stops(_ reduction: String, _ place: String) throws {
      let options = ["mpi.reduction=\(reduction)"]
      let outcome = try start("nan rank=1 step=3", iterations: 4, options: options)
      #expect(outcome.code == 65, "\(outcome)")
      let message = try Regex(
        #"error: a gradient is not finite at iter 3 \(loss_rpn_cls .*; images \d+, \d+, \d+, \d+; "#
          + #"first in the gradient of backbone.conv1.weight, \#(place)\); nothing of this step was applied"#)
      #expect(outcome.errors.contains(message), "\(outcome)")
      let report = try text("work/non_finite_iter_3.txt")
      #expect(report.contains("a gradient is not finite at iter 3\n") && report.contains("\nimages: "), "\(report)")
      #expect(report.contains("first in the gradient of backbone.conv1.weight, "), "\(report)")
      #expect(try run.checkpoint("work/latest.h5").iteration == 2)

      let resumed = try start("nan rank=1 step=3", iterations: 4, options: options, arguments: ["--resume", "auto"])
      #expect(resumed.code == 0, "\(resumed)")
      try run.train("straight", ranks: 2, batch: 4, iterations: 4, options: options)
      let (actual, expected) = (try run.checkpoint("work/latest.h5"), try run.checkpoint("straight/latest.h5"))
      #expect(actual.model == expected.model && actual.momenta == expected.momenta)
    }

    @Test("… or the step is left out, with its statistics, and counted over restarts up to a limit")
    func skips() throws {
      let faults = "[nan rank=1 step=2, nan rank=0 step=4]"
      let options = [
        "mpi.on_non_finite=skip", "mpi.max_non_finite=1", "model.backbone.norm_cfg={type: BN, requires_grad: true}",
      ]
      let first = try start(faults, iterations: 3, options: options)
      #expect(first.code == 0 && first.output.contains("left out, 1 of at most 1"), "\(first)")
      let before = try run.checkpoint("work/iter_1.h5")
      let (skipped, after) = (try run.checkpoint("work/iter_2.h5"), try run.checkpoint("work/iter_3.h5"))
      #expect(skipped.model == before.model && skipped.momenta == before.momenta && after.model != skipped.model)
      #expect(skipped.progress["skipped_steps"] == 1 && skipped.iteration == 2)
      let log = try TrainingLog(newestIn: run.folder.path("work"))
      #expect(log.steps.map { $0["iter"] } == [1, 3] && log.steps.map { $0["skipped"] } == [nil, 1])
      #expect(try text("work/non_finite_iter_2.txt").hasSuffix("left out\n"))

      let second = try start(faults, iterations: 5, options: options, arguments: ["--resume", "auto"])
      #expect(second.code == 65, "\(second)")
      let message = "error: 1 step was left out before: a gradient is not finite at iter 4"
      #expect(second.errors.contains(message), "\(second)")
      #expect(try run.checkpoint("work/latest.h5").iteration == 3)
    }

    @Test("A rank that holds another bit than the others ends the run before it is saved", arguments: [2, 3])
    func replicas(_ ranks: Int) throws {
      let fault = "flip rank=1 step=2 bit=3 parameter=rpn_head.rpn_conv.bias"
      let outcome = try start(fault, ranks: ranks, iterations: 4)
      #expect(outcome.code == 74, "\(outcome)")
      let who =
        ranks == 2
        ? #"ranks 0 \(.*\), 1 \(.*\) hold different values"# : #"rank 1 \(.*\) differs from the others"#
      let message = try Regex(
        #"error: the ranks no longer hold the same parameters after iter 2: in rpn_head.rpn_conv.bias, \#(who)"#)
      #expect(outcome.errors.contains(message), "\(outcome)")
      #expect(try run.checkpoint("work/latest.h5").iteration == 1)
      if ranks == 3 {
        let options = ["mpi.check_interval=1"]
        let later = try start(fault, ranks: 3, iterations: 3, options: options, arguments: ["--resume"])
        #expect(later.code == 0, "\(later)")
      }
    }
  }
}
