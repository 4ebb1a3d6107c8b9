import Foundation
import Kernels
import Layers
import Primitives
import Tensors
import TestSupport
import Testing

/// What follows from the formulas of Kingma & Ba and Loshchilov & Hutter.
@Suite struct AdamTests {
  private func optimizer(
    _ adam: AdamConfiguration, weightDecay: Float = 0, count: Int = 1, values: (Int) -> Float = { _ in 1 }
  ) -> (Optimizer, ParameterStore, Parameter) {
    let store = ParameterStore()
    let parameter = store.add("conv.weight", shape: [count, 1], isTrainable: true, initializer: .constant(1))
    store.allocate(seed: 0)
    for i in 0..<count { parameter.values[i] = values(i) }
    var configuration = OptimizerConfiguration()
    (configuration.adam, configuration.weightDecay) = (adam, weightDecay)
    return (Optimizer(configuration: configuration, store: store), store, parameter)
  }

  /// With one gradient in all steps both corrected means are those of the gradient itself, so that each step has the length of
  /// the rate, whatever the gradient.
  @Test(arguments: [1e-3, 1, 1000] as [Float]) func aConstantGradientMovesByTheRate(_ gradient: Float) {
    let (optimizer, _, parameter) = optimizer(AdamConfiguration(decouplesDecay: false))
    for step in 1...5 {
      parameter.gradient[0] = gradient
      optimizer.step(learningRate: 0.01, Workers(count: 1))
      #expect(abs(parameter.values[0] - (1 - 0.01 * Float(step))) < 2e-6, "step \(step)")
    }
    #expect(abs(parameter.state(.expAvg)[0] / gradient - (1 - Float(pow(0.9, 5)))) < 1e-5)
    #expect(optimizer.stepCount == 5)
  }

  /// Adam's decay goes through the gradient and is scaled away; AdamW's is the rate times it.
  @Test func decayIsAddedToTheGradientOrStandsByItself() {
    for (decouples, expected) in [(false, 0.99), (true, 1 - 0.01 * 0.5)] as [(Bool, Float)] {
      let (optimizer, _, parameter) = optimizer(AdamConfiguration(decouplesDecay: decouples), weightDecay: 0.5)
      optimizer.step(learningRate: 0.01, Workers(count: 1))
      #expect(abs(parameter.values[0] - expected) < 1e-6)
    }
  }

  /// After a large gradient, zeros: the mean of the squares falls, the largest one stays.
  @Test func amsgradKeepsTheLargestMeanOfSquares() {
    var adam = AdamConfiguration(decouplesDecay: false)
    (adam.amsgrad, adam.beta1, adam.beta2) = (true, 0, 0.5)
    let (optimizer, store, parameter) = optimizer(adam)
    parameter.gradient[0] = 4
    optimizer.step(learningRate: 0.01, Workers(count: 1))
    #expect(parameter.state(.maxExpAvgSq)[0] == 8 && parameter.state(.expAvgSq)[0] == 8)
    store.zeroGradients()
    optimizer.step(learningRate: 0.01, Workers(count: 1))
    #expect(parameter.state(.maxExpAvgSq)[0] == 8 && parameter.state(.expAvgSq)[0] == 4)
    #expect(store.states == [.expAvg, .expAvgSq, .maxExpAvgSq])
    let before = parameter.values[0]
    parameter.gradient[0] = 1
    optimizer.step(learningRate: 0.01, Workers(count: 1))
    // The mean of squares is 4 / 2 + 1 / 2; the largest is 8, corrected by 1 - 2⁻³.
    #expect(abs(before - parameter.values[0] - 0.01 / Float((8 / 0.875).squareRoot())) < 1e-7)
  }

  @Test func bitsDoNotDependOnTheNumberOfThreads() {
    func run(threads: Int) -> [UInt32] {
      var adam = AdamConfiguration(decouplesDecay: true)
      adam.amsgrad = true
      var random = KeyedRandom(seed: 3, purpose: .test)
      let (optimizer, _, parameter) = optimizer(adam, weightDecay: 0.1, count: 200_003) { _ in random.normal() }
      for _ in 0..<2 {
        for i in 0..<parameter.count { parameter.gradient[i] = random.normal() }
        optimizer.step(learningRate: 0.1, Workers(count: threads))
      }
      return (0..<parameter.count).map { parameter.values[$0].bitPattern }
    }
    #expect(run(threads: 1) == run(threads: 3))
  }

  /// Only what an optimiser uses takes memory.
  @Test func onlyTheStatesThatAreUsedAreKept() {
    var configuration = OptimizerConfiguration()
    #expect(configuration.states.isEmpty && configuration.name == "SGD" && configuration.decay == 0)
    configuration.momentum = 0.9
    #expect(configuration.states == [.momentum])
    configuration.adam = AdamConfiguration(decouplesDecay: true)
    #expect(configuration.states == [.expAvg, .expAvgSq])
    #expect(configuration.name == "AdamW" && configuration.decay == 0.01)
    let (_, store, _) = optimizer(AdamConfiguration(decouplesDecay: false))
    #expect(ParameterCopy.byteCount(of: store) == 4 * 3)
  }

  /// mmcv's `custom_keys`: the longest key decides, of equally long ones the first in the alphabet, and no other rule is
  /// followed then.
  @Test func theLongestCustomKeyDecidesAlone() {
    var configuration = OptimizerConfiguration()
    configuration.weightDecay = 0.5
    (configuration.biasLRMult, configuration.normDecayMult, configuration.dwconvDecayMult) = (3, 0.25, 0.125)
    configuration.customKeys = [
      CustomKey(key: "back", lrMult: 7), CustomKey(key: "backbone", lrMult: 0.1, decayMult: 0.5),
      CustomKey(key: "zzzzzzzz"), CustomKey(key: "ead.conv", lrMult: 5), CustomKey(key: "bias2.wei", lrMult: 9),
      CustomKey(key: "head.con", lrMult: 6),
    ]
    let store = ParameterStore()
    let names: [(String, [Int])] = [
      ("backbone.conv.weight", [2, 2, 1, 1]), ("backbone.bn.bias", [2]), ("backbone.bn.weight", [2]),
      ("head.conv.bias", [2]), ("head.conv.weight", [2, 2, 1, 1]), ("neck.bias", [2]), ("neck.weight", [2, 2]),
      ("neck.dw.weight", [2, 1, 3, 3]), ("neck.dw.bias", [2]), ("neck.bn.weight", [2]),
    ]
    for (name, shape) in names { _ = store.add(name, shape: shape, isTrainable: true, initializer: .constant(1)) }
    store.allocate(seed: 0)
    let treatments = ParameterTreatments(configuration, store)
    let found = store.parameters.map { treatments.treatment(of: $0) }
    #expect(found.map(\.rateFactor) == [0.1, 0.1, 0.1, 5, 5, 3, 1, 1, 3, 1])
    #expect(found.map(\.weightDecay) == [0.25, 0.25, 0.25, 0.5, 0.5, 0.5, 0.5, 0.0625, 0.0625, 0.125])
    #expect(treatments.unusedKeys(in: store) == ["bias2.wei", "head.con", "zzzzzzzz", "back"])
  }

  /// mmcv's `EMAHook`: less is taken than (1 + i) / (warm_up + i), and `momentum` to the power of `interval` in the end.
  @Test func averagesFollowFasterAtFirst() {
    var average = AverageConfiguration()
    (average.momentum, average.warmUp) = (0.25, 9)
    #expect((0..<4).map { average.intake(after: $0) } == [1.0 / 9, 0.2, 0.25, 0.25])
    average.interval = 2
    #expect((0..<4).map { average.intake(after: $0) } == [0.0625, nil, 0.0625, nil])
    let (means, values) = (Floats.allocate(capacity: 2), Floats.allocate(capacity: 2))
    defer {
      means.deallocate()
      values.deallocate()
    }
    (means[0], means[1], values[0], values[1]) = (1, 2, 5, 2)
    RunningMean.update(means, values, 2, momentum: 0.25, Workers(count: 1))
    #expect(means[0] == 2 && means[1] == 2)
  }

  /// A lowest rate that is given as a number is no multiple of anything, as in mmcv.
  @Test func aFactorIsOnTheFirstRateAlone() {
    var configuration = LearningRateConfiguration()
    configuration.policy = .step(milestones: [1], gamma: 0.1, minLR: 0.05)
    let schedule = LearningRateSchedule(
      configuration: configuration, baseRate: 1, iterationsPerEpoch: 1, maxEpochs: 2, maxIterations: 2)
    #expect(schedule.rate(epoch: 0, iteration: 0, factor: 0.25) == 0.25)
    #expect(schedule.rate(epoch: 1, iteration: 1) == 0.1 && schedule.rate(epoch: 1, iteration: 1, factor: 0.25) == 0.05)
  }
}
