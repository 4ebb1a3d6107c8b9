import Distributed
import Foundation
import Kernels
import Layers
import MPI
import Tensors
import TestSupport
import Testing
import Training

/// Iterations that share a step of the optimiser, and running means, in a world of one.
@Suite struct GradientWindowTests {
  private let reference: ReferenceDetector
  private var store: ParameterStore { reference.store }

  init() throws { reference = try ReferenceDetector(GoldenCase.all("detector")[0]) }

  private func step(
    _ reduction: Reduction, momentum: Float = 0, average: AverageConfiguration? = nil, injector: Injector? = nil
  ) throws -> TrainingStep {
    var configuration = RunConfiguration()
    configuration.mpi.reduction = reduction
    configuration.model = try ReferenceDetector.configuration(reference.golden)
    configuration.optimizer.momentum = momentum
    configuration.average = average
    return try TrainingStep(
      model: reference.model, world: World.start(singleRank: true, environment: [:]), configuration: configuration,
      order: CollectiveOrder(), injector: injector)
  }

  private func floats(_ values: UnsafeMutablePointer<Float>) -> [Float] {
    (0..<store.trainableCount).map { values[$0] }
  }

  @Test func windowsBeginAtMultiplesAndEndWithTheRun() {
    let windows = (0..<11).map { GradientWindow(of: $0, every: 4, until: 10) }
    #expect(windows.map(\.place) == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2])
    #expect(windows.prefix(10).map(\.length) == [4, 4, 4, 4, 4, 4, 4, 4, 2, 2])
    #expect(windows.map(\.isLast) == (0..<11).map { [3, 7, 9, 10].contains($0) })
    #expect(GradientWindow.single.isFirst && GradientWindow.single.isLast)
  }

  /// The mean of the gradients of each iteration by itself, applied once, after the last.
  @Test(arguments: Reduction.allCases) func theMeanIsAppliedAfterTheLast(_ reduction: Reduction) throws {
    let step = try step(reduction)
    let inputs = [try reference.batch(0), try reference.batch(1)]
    let parts = try (0..<2).map { epoch in
      _ = try step.run(on: inputs[epoch], seed: 0, epoch: epoch, iteration: epoch, learningRate: 0)
      return floats(store.gradients)
    }
    let areOthers = parts[0] != parts[1]
    #expect(areOthers)
    let before = floats(store.values)
    for iteration in 0..<2 {
      let window = GradientWindow(of: iteration, every: 2, until: .max)
      let outcome = try step.run(
        on: inputs[iteration], seed: 0, epoch: iteration, iteration: iteration, window: window, learningRate: 0.5)
      #expect(outcome.isUpdated == (iteration == 1))
      let isAsBefore = floats(store.values) == before
      #expect(isAsBefore == (iteration == 0))
    }
    let mean = zip(parts[0], parts[1]).map { ($0 + $1) / 2 }
    expectCloseToMaximum(floats(store.gradients), mean, 1e-6, "gradients")
    let moved = zip(before, floats(store.gradients)).map { $0 - 0.5 * $1 }
    expectCloseToMaximum(floats(store.values), moved, 1e-6, "values")
  }

  /// What mmcv's hook made of the same gradients.
  @Test func windowsAndStepsAreThoseOfMMCV() throws {
    let cases = try GoldenCase.all("optim2").filter { $0.string("fn") == "GradientCumulativeOptimizerHook" }
    try #require(!cases.isEmpty)
    for golden in cases {
      let text = try #require(golden.string("optimizer"))
      let settings = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
      func number(_ key: String) -> Double? { (settings[key] as? NSNumber)?.doubleValue }
      var configuration = OptimizerConfiguration()
      configuration.momentum = Float(number("momentum") ?? 0)
      configuration.weightDecay = number("weight_decay").map { Float($0) }
      switch settings["type"] as? String {
      case "Adam": configuration.adam = AdamConfiguration(decouplesDecay: false)
      case "AdamW": configuration.adam = AdamConfiguration(decouplesDecay: true)
      default: break
      }
      if golden.flag("has_grad_clip") == true {
        configuration.gradClip = GradClip(maxNorm: try #require(golden.number("grad_clip_max_norm")))
      }
      let shape = try golden.shape("inputs/grads")
      let (gradients, rates) = (try golden.floats("inputs/grads"), try golden.doubles("expected/lr"))
      let (expected, updated) = (try golden.floats("expected/params"), try golden.integers("expected/updated"))
      let (store, workers) = (ParameterStore(), Workers(count: 1))
      let parameter = store.add("weight", shape: [shape[1]], isTrainable: true, initializer: .constant(0))
      store.allocate(seed: 0)
      parameter.importValues(try golden.floats("inputs/param"), into: parameter.values)
      let optimizer = Optimizer(configuration: configuration, store: store)
      for iteration in 0..<shape[0] {
        let window = GradientWindow(
          of: iteration, every: try #require(golden.integer("cumulative_iters")), until: shape[0])
        let row = iteration * shape[1]..<(iteration + 1) * shape[1]
        if window.isFirst { store.zeroGradients() }
        for (i, place) in row.enumerated() { store.gradients[i] += gradients[place] / Float(window.length) }
        #expect(window.isLast == (updated[iteration] != 0), "\(golden), iteration \(iteration)")
        if window.isLast {
          optimizer.clipGradients(norm: optimizer.gradientNorm(workers), workers)
          optimizer.step(learningRate: rates[iteration], workers)
        }
        expectClose(
          parameter.exported(parameter.values), Array(expected[row]), absolute: 1e-6, relative: 1e-5,
          "\(golden), iteration \(iteration)")
      }
    }
  }

  /// One that is not finite spoils its window alone.
  @Test(arguments: Reduction.allCases, [0, 1]) func aWindowWithWhatIsNotFiniteIsLeftOut(
    _ reduction: Reduction, _ bad: Int
  ) throws {
    let scratch = try Scratch()
    let fault = Fault(.nan, rank: 0, step: bad + 1, text: "nan rank=0 step=\(bad + 1)")
    let injector = try #require(Injector([fault], rank: 0, workDir: scratch.path))
    let step = try step(reduction, momentum: 0.9, injector: injector)
    let input = try reference.batch(0)
    let before = floats(store.values)
    func run(_ iteration: Int) throws -> TrainingStep.Outcome {
      try injector.beginStep(iteration + 1)
      return try step.run(
        on: input, seed: 0, epoch: 0, iteration: iteration,
        window: GradientWindow(of: iteration, every: 2, until: .max), learningRate: 0.01)
    }
    for iteration in 0..<2 {
      let outcome = try run(iteration)
      #expect((outcome.defect != nil) == (iteration == bad) && !outcome.isUpdated)
    }
    expectSame(floats(store.values), before, "values")
    #expect(floats(store.momenta).allSatisfy { $0 == 0 })
    #expect(try run(2).defect == nil && run(3).isUpdated)
    let areMoved = floats(store.values) != before
    #expect(areMoved && floats(store.values).allSatisfy(\.isFinite))
  }

  /// What is repeated after a resume gathers gradients and changes nothing else.
  @Test(arguments: Reduction.allCases) func aRepeatedIterationGathersGradientsAlone(_ reduction: Reduction) throws {
    var average = AverageConfiguration()
    (average.momentum, average.warmUp) = (0.5, 0)
    let input = try reference.batch(0)
    func window(_ iteration: Int) -> GradientWindow { GradientWindow(of: iteration, every: 2, until: .max) }
    var results: [[Float]] = []
    let start = floats(store.values)
    for repeats in [false, true] {
      store.values.update(from: start, count: start.count)
      var step = try step(reduction, average: average)
      store.startAverages()
      _ = try step.run(on: input, seed: 0, epoch: 0, iteration: 0, window: window(0), learningRate: 1)
      let kept = floats(store.state(.average))
      expectClose(kept, start, relative: 1e-6, "means")
      if repeats {
        store.zeroGradients()
        step = try self.step(reduction, average: average)
        _ = try step.run(
          on: input, seed: 0, epoch: 0, iteration: 0, window: window(0), isRepeated: true, learningRate: 0)
        expectSame(floats(store.state(.average)), kept, "means")
        expectSame(floats(store.values), start, "values")
      }
      _ = try step.run(on: input, seed: 0, epoch: 0, iteration: 1, updates: 0, window: window(1), learningRate: 1)
      results.append(floats(store.values))
      let means = zip(kept, results[0]).map { 0.5 * $0 + 0.5 * $1 }
      expectCloseToMaximum(floats(store.state(.average)), means, 1e-6, "means")
    }
    expectSame(results[0], results[1], "repeated")
    let areMoved = results[0] != start
    #expect(areMoved)
    let averages = floats(store.state(.average))
    store.swapAverages()
    expectSame(floats(store.values), averages, "values")
    expectSame(floats(store.state(.average)), results[0], "averages")
  }
}
