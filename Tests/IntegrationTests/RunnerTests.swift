import Foundation
import Testing
import Training

extension ProgramTests {
  @Suite("Runners") struct Runners {
    @Test("IterBasedRunner counts iterations in learning rate, checkpoints, evaluation and log")
    func iterations() throws {
      let run = try TinyRun()
      let log = try run.train(
        "iterations", ranks: 1, batch: 8, iterations: 8,
        options: [
          "runner.type=IterBasedRunner", "lr_config={policy: step, step: [3, 6]}", "checkpoint_config={interval: 3}",
          "evaluation={interval: 4}", "log_config.interval=2",
        ])
      #expect(log.steps.compactMap { $0["iter"] } == [2, 4, 6, 8])
      #expect(log.steps.compactMap { $0["epoch"] } == [1, 1, 2, 2])
      let rates = log.steps.compactMap { $0["lr"] }
      for (rate, expected) in zip(rates, [1e-2, 1e-3, 1e-3, 1e-4]) { #expect(abs(rate / expected - 1) < 1e-6) }
      #expect(
        try run.folder.names(in: "iterations").filter { $0.hasPrefix("iter_") }.sorted()
          == ["iter_3.h5", "iter_6.h5", "iter_8.h5"])
      #expect(log.text.contains("Iter [4/8]\tlr: "))
      #expect(log.text.contains("Iter(val) [4]\tbbox_mAP: ") && log.text.contains("Iter(val) [8]\tbbox_mAP: "))
      #expect(!log.text.contains(" - Epoch"))
    }

    @Test("evaluation.start is the first epoch; without 'evaluation' each epoch is measured")
    func evaluation() throws {
      let run = try TinyRun()
      func epochs(_ name: String, _ option: String) throws -> [Int] {
        // 22 images in two groups of shape: 4 iterations an epoch.
        let log = try run.train(name, ranks: 1, batch: 8, iterations: 12, options: [option])
        return log.text.split(separator: "\n").compactMap { line in
          line.firstMatch(of: /Epoch\(val\) \[(\d+)\]/).flatMap { Int($0.1) }
        }
      }
      #expect(try epochs("start", "evaluation={interval: 2, start: 1}") == [1, 3])
      #expect(try epochs("first", "evaluation={interval: 3, start: 0}") == [3])
      #expect(try epochs("zero", "evaluation={interval: 1, start: 0}") == [0, 1, 2, 3])
      let text = try String(contentsOfFile: run.folder.path("tiny.yaml"), encoding: .utf8)
      try run.folder.write(text.replacing("evaluation: null\n", with: ""), to: "tiny.yaml")
      #expect(try epochs("absent", "log_config.interval=2") == [1, 2, 3])
    }

    @Test("With grad_clip the log has the norm of the gradients before clipping, alike on 1 and 2 ranks")
    func gradientNorm() throws {
      let run = try TinyRun()
      let norms = try [1, 2].map { ranks in
        let log = try run.train("norm\(ranks)", ranks: ranks, batch: 4, iterations: 3)
        #expect(log.text.contains(/, loss: [\d.]+, grad_norm: [\d.]+/))
        return log.steps.compactMap { $0["grad_norm"] }
      }
      try #require(norms.allSatisfy { $0.count == 3 && $0.allSatisfy { $0 > 0 } })
      for (one, two) in zip(norms[0], norms[1]) { #expect(abs(one - two) < 1e-4 * one) }
      let without = try run.train(
        "without", ranks: 1, batch: 4, iterations: 1, options: ["optimizer_config.grad_clip=null"])
      #expect(without.steps[0]["grad_norm"] == nil && !without.text.contains("grad_norm"))
    }
  }
}
