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

  private func step(_ optimizer: OptimizerConfiguration) throws -> TrainingStep {
    var configuration = RunConfiguration()
    configuration.model = try ReferenceDetector.configuration(reference.golden)
    configuration.optimizer = optimizer
    return try TrainingStep(
      model: reference.model, world: World.start(singleRank: true, environment: [:]), configuration: configuration,
      order: CollectiveOrder())
  }

  private func bits(_ values: (ParameterStore) -> UnsafeMutablePointer<Float>, _ count: Int) -> [UInt32] {
    (0..<count).map { values(reference.store)[$0].bitPattern }
  }

  @Test func lossesThatAreNotFiniteLeaveTheParametersAlone() throws {
    let (step, store) = (try step(reference.optimizer), reference.store)
    let input = try reference.batch(0)
    func run(_ iteration: Int) throws -> Bool {
      try step.run(on: input, seed: 0, epoch: 0, iteration: iteration, learningRate: 0.01).losses.isFinite
    }
    let bias = try #require(store.trainable.first { $0.name == "roi_head.bbox_head.fc_cls.bias" }).values
    #expect(try run(0))
    let kept = bias[0]
    bias[0] = .infinity
    let (values, momenta) = (bits(\.values, store.count), bits(\.momenta, store.trainableCount))
    #expect(try !run(1))
    #expect(bits(\.values, store.count) == values && bits(\.momenta, store.trainableCount) == momenta)

    bias[0] = kept
    #expect(try run(1))
    #expect(bits(\.momenta, store.trainableCount) != momenta)
    #expect((0..<store.count).allSatisfy { store.values[$0].isFinite })
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
