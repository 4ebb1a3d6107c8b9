import Detection
import Distributed
import Layers
import MPI
import Tensors

/// One training step, as all ranks take it together: forward; backward, while which the gradients are summed over the
/// ranks; the step's one report; clipping and SGD.
package final class TrainingStep {
  /// What a step found, the same on all ranks.
  package struct Outcome {
    package let losses: LossValues
    package let wishes: StepWishes
    /// nil in a world of one.
    package let sync: SyncTimes?
    /// The norm of the gradients before clipping; nil without `grad_clip`.
    package internal(set) var gradNorm: Double?
  }

  private let model: DetectorModel
  private let exchange: Exchange
  private let optimizer: SGD
  private let order: CollectiveOrder
  private let injector: Injector?

  /// Collective. `order` is shared with the statistics of the model's SyncBN.
  package init(
    model: DetectorModel, world: World, configuration: RunConfiguration, order: CollectiveOrder,
    injector: Injector? = nil
  ) throws {
    (self.model, self.order, self.injector) = (model, order, injector)
    exchange = try Exchange(world: world, store: model.store, configuration: configuration, order: order)
    optimizer = SGD(configuration: configuration.optimizer, store: model.store)
  }

  /// How long this rank's last forward and backward pass took.
  package private(set) var forwardSeconds = 0.0
  package private(set) var backwardSeconds = 0.0

  /// Takes a step on this rank's share of the global batch. Where the losses are not finite, the parameters stay.
  ///
  /// - Parameters:
  ///   - seed, epoch: with the image ids, the key of the random samplers.
  ///   - iteration: the steps of the run before this one.
  package func run(
    on input: DetectorInput, seed: UInt64, epoch: Int, iteration: Int, learningRate: Double
  ) throws -> Outcome {
    let (values, counts) = try accumulateGradients(input, Draws(seed: seed, epoch: epoch))
    var outcome = try exchange.report(model.detector.terms, values, counts: counts, step: iteration + 1)
    if outcome.losses.isFinite {
      outcome.gradNorm = optimizer.clipGradients(model.engine.workers)
      optimizer.isFirstStep = iteration == 0
      optimizer.step(learningRate: learningRate, model.engine.workers)
      try injector?.flipBit(in: model.store)
    }
    return outcome
  }

  private func accumulateGradients(
    _ input: DetectorInput, _ draws: Draws
  ) throws -> (values: [Double], counts: [Double]) {
    let start = ContinuousClock.now
    model.store.zeroGradients()
    let tape = Tape()
    model.engine.tape = tape
    defer { model.engine.tape = nil }
    let (terms, counts) = try forward(input, draws)
    let middle = ContinuousClock.now
    try injector?.poisonGradients(of: model.store)
    try tape.backward(from: terms.total, informing: exchange.reducer)
    (forwardSeconds, backwardSeconds) = (start.duration(to: middle).seconds, middle.duration(to: .now).seconds)
    try injector?.swapCollectives(in: order)
    try exchange.reducer.finish()
    return (terms.map(\.value), counts)
  }

  /// Both phases of the losses. What is only needed between them is free when this returns.
  private func forward(_ input: DetectorInput, _ draws: Draws) throws -> (terms: [TermValue], counts: [Double]) {
    let pending = try model.detector.train(input, draws)
    return (try pending.finish(exchange.divisors(pending.counts)), pending.counts)
  }
}

/// What a step's exchange of gradients cost, the mean over the ranks.
package struct SyncTimes: Sendable {
  /// How long a rank waited after its backward pass: for the network, and for slower ranks.
  package let waitedSeconds: Double
  /// The part, 0 ... 1, of the time that the exchange takes alone (measured at the start) and that was not waited for.
  package let hiddenShare: Double
}

/// What signals on any rank ask for; the same on all ranks.
package struct StepWishes {
  package var save = false
  package var stop = false
}
