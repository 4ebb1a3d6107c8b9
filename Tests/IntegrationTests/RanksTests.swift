import Foundation
import Testing
import Training

/// The program under real mpirun. One test at a time: each starts several processes.
@Suite("The program", .serialized) enum ProgramTests {}

extension ProgramTests {
  @Suite("Ranks") struct Ranks {
    @Test("The losses are finite and the same on 1, 2, 4 and 8 ranks")
    func lossesOfEqualBatches() throws {
      let run = try TinyRun()
      let alone = try run.train("1", ranks: 1, batch: 8, iterations: 10)
      #expect(alone.steps.count == 10)
      for ranks in [2, 4, 8] {
        let log = try run.train("\(ranks)", ranks: ranks, batch: 8, iterations: 10)
        log.expectSameLosses(as: alone.steps[...], "\(ranks) ranks")
      }
    }

    @Test("… and on 3 ranks")
    func lossesOnThreeRanks() throws {
      let run = try TinyRun()
      let alone = try run.train("1", ranks: 1, batch: 6, iterations: 6)
      let log = try run.train("3", ranks: 3, batch: 6, iterations: 6)
      log.expectSameLosses(as: alone.steps[...], "3 ranks")
    }
  }
}
