import Layers
import Testing

/// Policies beside `step` and `fixed`, against the rates of mmcv 1.3.3's hooks: 4 epochs of 5 iterations from 0.02.
@Suite struct LearningRatePolicyTests {
  private func expect(
    _ policy: LearningRateConfiguration.Policy, byEpoch: Bool, warmup: LearningRateConfiguration.WarmUp? = nil,
    iters: Int = 0, ratio: Double = 0, _ expected: [Double]
  ) {
    var configuration = LearningRateConfiguration()
    (configuration.policy, configuration.byEpoch, configuration.warmup) = (policy, byEpoch, warmup)
    (configuration.warmupIters, configuration.warmupRatio) = (iters, ratio)
    let schedule = LearningRateSchedule(
      configuration: configuration, baseRate: 0.02, iterationsPerEpoch: 5, maxEpochs: 4, maxIterations: 20)
    #expect(expected.count == 20)
    for (iteration, expected) in expected.enumerated() {
      let rate = schedule.rate(epoch: iteration / 5, iteration: iteration)
      #expect(abs(rate - expected) <= 1e-10 * expected, "\(policy), iteration \(iteration): \(rate), not \(expected)")
    }
  }

  @Test func exponential() {
    expect(
      .exp(gamma: 0.5), byEpoch: true,
      [
        0.02, 0.02, 0.02, 0.02, 0.02, 0.01, 0.01, 0.01, 0.01, 0.01, 0.005, 0.005, 0.005, 0.005, 0.005, 0.0025,
        0.0025, 0.0025, 0.0025, 0.0025,
      ])
  }

  @Test func polynomialWithWarmUp() {
    expect(
      .poly(power: 0.9, minLR: 1e-4), byEpoch: false, warmup: .linear, iters: 3, ratio: 0.1,
      [
        0.002, 0.00764088763771, 0.0127397887848, 0.0172921467488, 0.0163792377064, 0.0154606011838,
        0.0145358151541, 0.0136043939092, 0.012665772763, 0.0117192874791, 0.0107641459522, 0.00979938813966,
        0.00882382748203, 0.0078359617961, 0.00683383089184, 0.00581477431611, 0.00477498339349, 0.00370857062554,
        0.00260526156947, 0.00144253643344,
      ])
  }

  @Test func inverse() {
    expect(
      .inv(gamma: 0.1, power: 0.75), byEpoch: false,
      [
        0.02, 0.0186202488924, 0.0174439189899, 0.0164275380365, 0.0155393900848, 0.0147557589293,
        0.0140585331298, 0.0134336275934, 0.0128699131699, 0.0123584724836, 0.01189207115, 0.0114647747,
        0.011071666233, 0.0107086350642, 0.0103722162881, 0.0100594674375, 0.00976787255749, 0.00949526680881,
        0.00923977662583, 0.00899977179415,
      ])
  }

  @Test func cosineToARatio() {
    expect(
      .cosineAnnealing(target: .ratio(1e-2)), byEpoch: false, warmup: .exp, iters: 4, ratio: 0.25,
      [
        0.005, 0.00702797480549, 0.00975772975566, 0.0133791423678, 0.0181092682443, 0.0171003571337,
        0.0159190739977, 0.0145945059474, 0.0131592682443, 0.0116487012039, 0.0101, 0.0085512987961,
        0.00704073175569, 0.00560549405258, 0.0042809260023, 0.00309964286625, 0.00209073175569, 0.00127903541054,
        0.000684540488678, 0.000321885428108,
      ])
  }

  @Test func cosineToARate() {
    expect(
      .cosineAnnealing(target: .rate(0.001)), byEpoch: true,
      [
        0.02, 0.02, 0.02, 0.02, 0.02, 0.0172175144213, 0.0172175144213, 0.0172175144213, 0.0172175144213,
        0.0172175144213, 0.0105, 0.0105, 0.0105, 0.0105, 0.0105, 0.00378248557873, 0.00378248557873,
        0.00378248557873, 0.00378248557873, 0.00378248557873,
      ])
  }

  @Test func twoCycles() {
    expect(
      .cyclic(ratios: .init(up: 10, down: 1e-4), times: 2, stepRatioUp: 0.4), byEpoch: false,
      [
        0.02, 0.0463603896932, 0.11, 0.173639610307, 0.2, 0.186602674353, 0.1500005, 0.100001, 0.0500015,
        0.013399325647, 0.02, 0.0463603896932, 0.11, 0.173639610307, 0.2, 0.186602674353, 0.1500005, 0.100001,
        0.0500015, 0.013399325647,
      ])
  }

  @Test func threeCyclesThatDoNotFit() {
    expect(
      .cyclic(ratios: .init(up: 4, down: 4e-5), times: 3, stepRatioUp: 0.3), byEpoch: false, warmup: .constant,
      iters: 2, ratio: 0.5,
      [
        0.01, 0.04, 0.0723607561682, 0.0523609561682, 0.0276398438318, 0.0076400438318, 0.02, 0.08,
        0.0723607561682, 0.0523609561682, 0.0276398438318, 0.0076400438318, 0.02, 0.08, 0.0723607561682,
        0.0523609561682, 0.0276398438318, 0.0076400438318, 0.02, 0.08,
      ])
  }

  @Test func beyondTheEndTheRateStays() {
    var configuration = LearningRateConfiguration()
    (configuration.policy, configuration.byEpoch) = (.poly(power: 0.9, minLR: 0.001), false)
    let schedule = LearningRateSchedule(
      configuration: configuration, baseRate: 0.02, iterationsPerEpoch: 5, maxEpochs: 4, maxIterations: 20)
    #expect(schedule.rate(epoch: 5, iteration: 27) == 0.001)
  }
}
