import Foundation
import Kernels
import Layers
import Primitives
import Tensors
import TestSupport
import Testing

@Suite struct SGDTests {
  /// Dampening acts from the second step on; after a resume, from the first.
  @Test func theFirstStepTakesTheWholeGradient() {
    var configuration = OptimizerConfiguration()
    (configuration.momentum, configuration.dampening) = (0.5, 0.75)
    let (store, parameter) = store(shape: [1])
    let optimizer = Optimizer(configuration: configuration, store: store)
    parameter.gradient[0] = 1
    optimizer.step(learningRate: 1, Workers(count: 1))
    #expect(parameter.momentum[0] == 1 && parameter.values[0] == 0)
    optimizer.step(learningRate: 1, Workers(count: 1))
    #expect(parameter.momentum[0] == 0.75 && parameter.values[0] == -0.75)

    let resumed = Optimizer(configuration: configuration, store: store)
    resumed.stepCount = 2
    resumed.step(learningRate: 1, Workers(count: 1))
    #expect(parameter.momentum[0] == 0.625)
  }

  /// Three factors, none of them like another: mmcv's rules, and no two settings mixed up.
  @Test func eachKindOfParameterHasItsOwnSettings() {
    var configuration = OptimizerConfiguration()
    configuration.weightDecay = 0.5
    (configuration.biasLRMult, configuration.biasDecayMult, configuration.normDecayMult) = (3, 0.25, 0.125)
    let store = ParameterStore()
    for (name, shape) in [("conv.weight", [2, 2, 1, 1]), ("conv.bias", [2]), ("bn.weight", [2]), ("bn.bias", [2])] {
      _ = store.add(name, shape: shape, isTrainable: true, initializer: .constant(1))
    }
    store.allocate(seed: 0)
    let treatments = store.parameters.map { ParameterTreatments(configuration, store).treatment(of: $0) }
    #expect(treatments.map(\.rateFactor) == [1, 3, 1, 1])
    #expect(treatments.map(\.weightDecay) == [0.5, 0.125, 0.0625, 0.0625])
  }

  @Test func frozenParametersDoNotMove() {
    var configuration = OptimizerConfiguration()
    configuration.weightDecay = 0.1
    let store = ParameterStore()
    let frozen = store.add("a.weight", shape: [2], isTrainable: false, initializer: .constant(1))
    let trained = store.add("b.weight", shape: [2, 2], isTrainable: true, initializer: .constant(1))
    store.allocate(seed: 0)
    Optimizer(configuration: configuration, store: store).step(learningRate: 1, Workers(count: 1))
    #expect(frozen.exported(frozen.values) == [1, 1])
    #expect(trained.exported(trained.values) == [0.9, 0.9, 0.9, 0.9])
  }

  @Test func bitsDoNotDependOnTheNumberOfThreads() throws {
    var configuration = OptimizerConfiguration()
    (configuration.momentum, configuration.weightDecay, configuration.nesterov) = (0.9, 1e-4, true)
    configuration.gradClip = GradClip(maxNorm: 1)
    func run(threads: Int) throws -> (norm: Double, values: [Float]) {
      let (store, parameter) = store(shape: [300_001, 1])
      let workers = Workers(count: threads)
      let optimizer = Optimizer(configuration: configuration, store: store)
      var random = KeyedRandom(seed: 3, purpose: .test)
      for i in 0..<parameter.count { parameter.gradient[i] = random.normal() }
      let norm = try #require(optimizer.gradientNorm(workers))
      optimizer.clipGradients(norm: norm, workers)
      optimizer.step(learningRate: 0.1, workers)
      return (norm, parameter.exported(parameter.values))
    }
    let one = try run(threads: 1)
    #expect(abs(one.norm - 300_001.0.squareRoot()) < 2)
    for threads in [2, 5] {
      let many = try run(threads: threads)
      #expect(many.norm == one.norm && many.values == one.values)
    }
  }

  @Test func normsOfShortAndEmptyVectors() {
    let workers = Workers(count: 2)
    let values = Floats.allocate(capacity: 33)
    defer { values.deallocate() }
    for count in [0, 1, 7, 8, 9, 17, 33] {
      for i in 0..<count { values[i] = Float(i % 2 == 0 ? i : -i) }
      let squares = (0..<count).reduce(0.0) { $0 + Double($1 * $1) }
      #expect(VectorNorm.norm(values, count, p: 2, workers) == squares.squareRoot())
      #expect(VectorNorm.norm(values, count, p: .infinity, workers) == Double(max(count - 1, 0)))
      #expect(VectorNorm.norm(values, count, p: 1, workers) == Double(count * max(count - 1, 0) / 2))
    }
    values[3] = .nan
    #expect(VectorNorm.norm(values, 8, p: .infinity, workers).isNaN)
  }

  private func store(shape: [Int]) -> (ParameterStore, Parameter) {
    let store = ParameterStore()
    let parameter = store.add("conv.weight", shape: shape, isTrainable: true, initializer: .constant(1))
    store.allocate(seed: 0)
    return (store, parameter)
  }
}
