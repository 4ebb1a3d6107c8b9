import Distributed
import Layers
import MPI
import Tensors
import TestSupport
import Testing
import Training

/// Whole steps of the first reference detector, in a world of one.
@Suite struct TrainingStepTests {
  private let reference: ReferenceDetector

  init() throws { reference = try ReferenceDetector(GoldenCase.all("detector")[0]) }

  private func step(
    _ optimizer: OptimizerConfiguration, _ reduction: Reduction = .fast, injector: Injector? = nil
  ) throws -> TrainingStep {
    var configuration = RunConfiguration()
    configuration.mpi.reduction = reduction
    configuration.model = try ReferenceDetector.configuration(reference.golden)
    configuration.optimizer = optimizer
    return try TrainingStep(
      model: reference.model, world: World.start(singleRank: true, environment: [:]), configuration: configuration,
      order: CollectiveOrder(), injector: injector)
  }

  private func bits(_ values: (ParameterStore) -> UnsafeMutablePointer<Float>, _ count: Int) -> [UInt32] {
    (0..<count).map { values(reference.store)[$0].bitPattern }
  }

  @Test(arguments: Reduction.allCases)
  func lossesThatAreNotFiniteLeaveTheParametersAlone(_ reduction: Reduction) throws {
    let (step, store) = (try step(reference.optimizer, reduction), reference.store)
    let input = try reference.batch(0)
    func run(_ iteration: Int) throws -> TrainingStep.Outcome {
      try step.run(on: input, seed: 0, epoch: 0, iteration: iteration, learningRate: 0.01)
    }
    let bias = try #require(store.trainable.first { $0.name == "roi_head.bbox_head.fc_cls.bias" }).values
    #expect(try run(0).defect == nil)
    let kept = bias[0]
    bias[0] = .infinity
    let (values, momenta) = (bits(\.values, store.count), bits(\.momenta, store.trainableCount))
    let outcome = try run(1)
    let defect = try #require(outcome.defect)
    #expect(!outcome.losses.isFinite && defect.terms == ["loss_cls"] && defect.parameter != nil && defect.rank == 0)
    #expect(defect.image == (reduction == .exact ? 0 : nil))
    #expect(bits(\.values, store.count) == values && bits(\.momenta, store.trainableCount) == momenta)

    bias[0] = kept
    #expect(try run(1).defect == nil)
    #expect(bits(\.momenta, store.trainableCount) != momenta)
    #expect((0..<store.count).allSatisfy { store.values[$0].isFinite })
  }

  @Test(arguments: Reduction.allCases, [nil, 1e6])
  func aGradientThatIsNotFiniteLeavesTheParametersAlone(_ reduction: Reduction, _ maxNorm: Double?) throws {
    let scratch = try Scratch()
    let fault = Fault(.nan, rank: 0, step: 1, text: "nan rank=0 step=1")
    let injector = try #require(Injector([fault], rank: 0, workDir: scratch.path))
    var optimizer = OptimizerConfiguration()
    optimizer.gradClip = maxNorm.map { GradClip(maxNorm: $0) }
    let (step, store, input) = (
      try step(optimizer, reduction, injector: injector), reference.store, try reference.batch(0)
    )
    let values = bits(\.values, store.count)
    func isAsBefore() -> Bool { bits(\.values, store.count) == values }
    try injector.beginStep(1)
    let outcome = try step.run(on: input, seed: 0, epoch: 0, iteration: 0, learningRate: 0.01)
    let defect = try #require(outcome.defect)
    #expect(outcome.losses.isFinite && defect.terms.isEmpty && defect.parameter == store.trainable[0].name)
    // A repetition finds the injected one no more; exact sums know it at once.
    #expect(defect.rank == (reduction == .exact ? 0 : nil) && defect.image == (reduction == .exact ? 0 : nil))
    #expect(isAsBefore())
    #expect(try step.run(on: input, seed: 0, epoch: 0, iteration: 1, learningRate: 0.01).defect == nil)
    #expect(!isAsBefore())
  }

  /// Exact sums are those of floats, up to their rounding, and so is what is reported.
  @Test func exactSumsAreTheSumsOfFloats() throws {
    let (input, store) = (try reference.batch(0), reference.store)
    func gradients(_ reduction: Reduction) throws -> (outcome: TrainingStep.Outcome, values: [Float]) {
      let step = try step(OptimizerConfiguration(), reduction)
      let outcome = try step.run(on: input, seed: 0, epoch: 0, iteration: 0, learningRate: 0)
      return (outcome, (0..<store.trainableCount).map { store.gradients[$0] })
    }
    let (fast, exact) = (try gradients(.fast), try gradients(.exact))
    #expect(input.metas.count > 1)
    expectCloseToMaximum(exact.values, fast.values, 1e-5, "gradients")
    expectClose(
      exact.outcome.losses.values.map(Float.init), fast.outcome.losses.values.map(Float.init), relative: 1e-5, "losses")
  }

  /// The first step of a run takes the whole gradient, not the first one after a resume.
  @Test func dampeningActsFromTheSecondStepOn() throws {
    var optimizer = OptimizerConfiguration()
    (optimizer.momentum, optimizer.dampening) = (0.5, 0.75)
    let (input, store) = (try reference.batch(0), reference.store)
    var before = [Float](repeating: 0, count: store.trainableCount)
    for (iteration, share) in [(0, 1), (1, 0.25), (7, 0.25)] as [(Int, Float)] {
      _ = try step(optimizer).run(on: input, seed: 0, epoch: 0, iteration: iteration, learningRate: 1e-4)
      let momenta = (0..<store.trainableCount).map { store.momenta[$0] }
      let expected = before.indices.map { 0.5 * before[$0] + share * store.gradients[$0] }
      expectCloseToMaximum(momenta, expected, 1e-6, "iteration \(iteration)")
      #expect(momenta.contains { $0 != 0 })
      before = momenta
    }
  }
}
