import Foundation
import Testing
import Training

extension FaultTests {
  @Suite("Long runs") struct LongRuns {
    private let run: TinyRun

    init() throws { run = try TinyRun() }

    @Test("Memory does not grow over 200 iterations with images of many sizes")
    func memoryIsConstant() throws {
      let scales = "data.train.pipeline.2.img_scale=[[160,128],[128,96],[112,80],[96,64]]"
      let log = try run.train(
        "sizes", ranks: 2, batch: 4, iterations: 200,
        options: [scales, "data.train.pipeline.2.multiscale_mode=value"])
      let memory = log.steps.compactMap { $0["memory"] }
      try #require(memory.count == 200)
      #expect(memory[199] <= 1.05 * memory[19], "\(memory[19]) MiB after 20 iterations, \(memory[199]) after 200")
    }

    @Test("USR1 to mpirun saves and goes on; USR2 saves and stops with 75; then resume goes on")
    func signals() throws {
      let command = run.command("signals", ranks: 2, batch: 4, iterations: 100_000)
      let running = try run.program.start(command, ranks: 2)
      try running.wait { lines(of: running) >= 2 }
      running.send(SIGUSR1)
      try running.wait { run.folder.exists("signals/latest.h5") }
      let first = try run.checkpoint("signals/latest.h5").iteration
      let linesThen = lines(of: running)
      try running.wait { lines(of: running) >= linesThen + 2 }
      running.send(SIGUSR2)
      let outcome = try running.wait()
      #expect(outcome.code == 75, "\(outcome)")
      #expect(outcome.output.contains("Stopped by a signal after saving; go on with --resume auto"))
      let second = try run.checkpoint("signals/latest.h5").iteration
      #expect(second > first)

      let log = try run.train(
        "signals", ranks: 2, batch: 4, iterations: second + 3, arguments: ["--resume", "auto"])
      #expect(log.steps.count == 3)
      #expect(try run.checkpoint("signals/latest.h5").iteration == second + 3)
    }

    private func lines(of running: RunningProgram) -> Int {
      running.output.split(separator: "\n").count { $0.contains(" - Epoch [") }
    }
  }
}
