import Foundation
import Testing
import Training

/// The program under real mpirun. One test at a time: each starts several processes.
@Suite("The program", .serialized) enum ProgramTests {}

/// The program where data, ranks, hosts, disks and users fail it; beside the others, since it mostly waits.
@Suite("The program among faults", .serialized) enum FaultTests {}

extension ProgramTests {
  @Suite("Ranks") struct Ranks {
    @Test("The losses are finite and the same on one rank and on several", arguments: [(8, [2, 4, 8]), (6, [3])])
    func lossesOfEqualBatches(_ batch: Int, _ numbersOfRanks: [Int]) throws {
      let run = try TinyRun()
      // The sums over images round differently on another number of ranks, so that the weights differ in their last bits
      // after a step. Random weights give proposals of almost equal scores, whose order such a bit decides, and a sampler
      // picks by order: here the weights have learned something, and the sampler takes all proposals.
      try run.train("weights", ranks: 1, batch: batch, iterations: 40)
      let options = ["model.train_cfg.rcnn.sampler.num=64", "model.train_cfg.rcnn.sampler.pos_fraction=1.0"]
      let arguments = ["--load-from", "weights/latest.h5"]
      func losses(_ ranks: Int) throws -> TrainingLog {
        try run.train(
          "\(ranks)", ranks: ranks, batch: batch, iterations: 10, options: options, arguments: arguments)
      }
      let alone = try losses(1)
      #expect(alone.steps.count == 10)
      for ranks in numbersOfRanks { try losses(ranks).expectSameLosses(as: alone.steps[...], "\(ranks) ranks") }
    }

    @Test("Several ranks log how long they waited for gradients, and which share was hidden") func sync() throws {
      let run = try TinyRun()
      let alone = try run.train("1", ranks: 1, batch: 2, iterations: 2)
      #expect(alone.steps.count == 2 && alone.steps.allSatisfy { $0["sync"] == nil && $0["sync_hidden"] == nil })
      #expect(!alone.text.contains("sync"))
      let both = try run.train("2", ranks: 2, batch: 2, iterations: 2)
      #expect(both.steps.count == 2)
      for step in both.steps {
        #expect(try #require(step["sync"]) > 0)
        #expect((0...1).contains(try #require(step["sync_hidden"])))
        #expect((1...2).contains(try #require(step["imbalance"])))
      }
      #expect(both.text.matches(of: /loss: \d+\.\d{4}, grad_norm: \d+\.\d{4}, sync: \d+ ms, \d+ % hidden\n/).count == 2)
    }
  }
}
