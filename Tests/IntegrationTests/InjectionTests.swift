import Foundation
import Testing
import Training

extension FaultTests {
  /// Faults on purpose, as people try them on their cluster.
  @Suite("mpi.inject") struct Injection {
    private let run: TinyRun

    init() throws { run = try TinyRun() }

    private func start(_ faults: String, iterations: Int, _ arguments: [String] = []) throws -> Outcome {
      let options = [
        "mpi.inject=\(faults)", "mpi.check_interval=0", "checkpoint_config.interval=1",
        "checkpoint_config.by_epoch=false", "mpi.async_save=false",
      ]
      let command = run.command("work", ranks: 2, batch: 2, iterations: iterations, options: options)
      return try run.program.run(command + arguments, ranks: 2)
    }

    @Test("A rank kills itself and a disk is full, each once over all restarts")
    func onceOverRestarts() throws {
      let faults = "[kill rank=1 step=2, full-disk step=3]"
      let killed = try start(faults, iterations: 4)
      #expect(killed.code == 128 + SIGKILL, "\(killed)")
      #expect(
        (killed.output + killed.errors).contains("this run makes faults on purpose (kill rank=1 step=2, full-disk"))
      #expect(String(decoding: try run.folder.read("work/inject.fired"), as: UTF8.self) == "kill rank=1 step=2\n")
      #expect(try run.checkpoint("work/latest.h5").iteration == 1)

      _ = try start(faults, iterations: 4, ["--resume", "auto"])
      let fired = String(decoding: try run.folder.read("work/inject.fired"), as: UTF8.self)
      #expect(fired == "kill rank=1 step=2\nfull-disk step=3\n")

      let last = try start(faults, iterations: 4, ["--resume", "auto"])
      #expect(last.code == 0, "\(last)")
      #expect(try run.checkpoint("work/latest.h5").iteration == 4)
    }

    @Test("A bit that turns over is in what is trained, and a gradient that is not a number stops it")
    func valuesChange() throws {
      let flipped = try start("flip rank=0 step=2 bit=29 parameter=rpn_head.rpn_cls.bias", iterations: 2)
      #expect(flipped.code == 0, "\(flipped)")
      let (before, after) = (try run.checkpoint("work/iter_1.h5"), try run.checkpoint("work/iter_2.h5"))
      let bias = try #require(after.model.first { $0.name == "rpn_head.rpn_cls.bias" }).values
      let old = try #require(before.model.first { $0.name == "rpn_head.rpn_cls.bias" }).values
      #expect(abs(bias[0]) < 1e-15 && abs(bias[1]) > 1e-15 && abs(old[0]) > 1e-15)

      let huge = try start("flip rank=0 step=1 bit=30 parameter=rpn_head.rpn_cls.bias", iterations: 1)
      #expect(huge.code == 65, "\(huge)")
      #expect(huge.errors.contains(" in 'rpn_head.rpn_cls.bias', where no detector has a weight beyond 1000000"))

      let poisoned = try start("nan rank=1 step=2", iterations: 4)
      #expect(poisoned.code == 65, "\(poisoned)")
      #expect(poisoned.errors.contains("error: a gradient is not finite at iter 2 ("), "\(poisoned)")
      #expect(try run.checkpoint("work/latest.h5").iteration == 1)
    }

    @Test(
      "A rank or a parameter that there is not ends the run at the start",
      arguments: [
        ("kill rank=2 step=1", "'mpi.inject' names rank 2 in 'kill rank=2 step=1', but the ranks are 0 to 1"),
        ("nan rank=1 step=1 parameter=rpn", "'mpi.inject' names 'rpn' in 'nan rank=1 step=1 parameter=rpn', but no"),
      ])
    func unknownNames(_ fault: String, _ message: String) throws {
      let outcome = try start(fault, iterations: 1)
      #expect(outcome.code == 78 && outcome.errors.contains(message), "\(outcome)")
      #expect(outcome.errors.components(separatedBy: "error: ").count == 2, "\(outcome)")
    }
  }
}
