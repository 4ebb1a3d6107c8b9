import Layers
import TestSupport
import Testing
import Training

/// `lr_config` through the reader, against the rates of mmcv 1.3.3's runners.
@Suite struct ScheduleReferenceTests {
  private static let refused = ["CosineRestart", "OneCycle"]

  @Test func everyPolicyWithEveryWarmUpIsMMCVs() throws {
    let cases = try GoldenCase.all("schedule2")
    #expect(cases.count == 54)
    for golden in cases {
      let text = try #require(golden.string("lr_config"))
      if Self.refused.contains(golden.string("policy") ?? "") {
        #expect(throws: ConfigurationError.self) { try ConfigurationFixture.read(options: ["lr_config=\(text)"]) }
      } else {
        try check(golden, text)
      }
    }
  }

  private func check(_ golden: GoldenCase, _ text: String) throws {
    let (epochs, length) = (try #require(golden.integer("max_epochs")), try #require(golden.integer("iters_per_epoch")))
    let run = try ConfigurationFixture.read(options: ["lr_config=\(text)", "runner.max_epochs=\(epochs)"]).run
    let schedule = LearningRateSchedule(
      configuration: run.learningRate, baseRate: try #require(golden.number("lr")), iterationsPerEpoch: length,
      maxEpochs: epochs, maxIterations: epochs * length)
    let places = try golden.integers("expected/epoch")
    for (iteration, expected) in try golden.doubles("expected/lr").enumerated() {
      let rate = schedule.rate(epoch: places[iteration], iteration: iteration)
      #expect(
        abs(rate - expected) <= 1e-12 * abs(expected), "\(golden), iteration \(iteration): \(rate), not \(expected)")
    }
  }
}
