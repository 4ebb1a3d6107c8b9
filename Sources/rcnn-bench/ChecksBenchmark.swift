import ArgumentParser
import Distributed
import Foundation
import MPI
import Training

/// What the order of collectives and the watchdog's notes cost a step.
struct ChecksBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checks",
    abstract: "Times what a step does so that it cannot hang: microseconds of the calls themselves.")

  @Option(help: "The collectives of a step; R50-FPN has 80 buckets of gradients.")
  var collectives = 84

  func run() throws {
    Boundary.run(singleRank: true, signals: .system) { world in
      let progress = try Watchdog.start(world, timeout: 600, workDir: nil)
      let order = CollectiveOrder(progress: progress)
      let rounds = 2000
      func microseconds(_ body: (Int) throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        for round in 1...rounds { try body(round) }
        return start.duration(to: .now) / .microseconds(1) / Double(rounds)
      }
      let notes = microseconds { progress.beginStep($0) }
      let step = try microseconds { round in
        progress.beginStep(round)
        for collective in 0..<collectives { order.record(.gradients, "bucket \(collective)", count: 524_288) }
        _ = try StepReport(losses: [], counts: []).summed(over: world, order: order, step: round)
      }
      print("a note of the watchdog \(String(format: "%.3f", notes)) µs")
      print("a step's order of \(collectives) collectives, with their notes \(String(format: "%.1f", step)) µs")
      return 0
    }
  }
}
