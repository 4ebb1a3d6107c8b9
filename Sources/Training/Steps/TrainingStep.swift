import Detection
import Distributed
import Kernels
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
    let hasBadPictures: Bool
    /// Whether the batch was taken for good in spite of its bad pictures; where not, the parameters stayed as they were.
    package internal(set) var isAccepted = true
    /// The norm of the gradients before clipping; nil without `grad_clip`.
    package internal(set) var gradNorm: Double?
    /// What was not finite, so that the parameters stayed as they were; nil where the step was taken.
    package internal(set) var defect: StepDefect?
  }

  private let model: DetectorModel
  private let exchange: Exchange
  private let optimizer: SGD
  private let order: CollectiveOrder
  private let injector: Injector?
  /// What the forward pass changes, where norms gather it; a step that is not taken must not.
  private let statistics: [Parameter]

  /// Collective. `order` is shared with the statistics of the model's SyncBN.
  package init(
    model: DetectorModel, world: World, configuration: RunConfiguration, order: CollectiveOrder,
    injector: Injector? = nil
  ) throws {
    (self.model, self.order, self.injector) = (model, order, injector)
    exchange = try Exchange(world: world, model: model, configuration: configuration, order: order)
    optimizer = SGD(configuration: configuration.optimizer, store: model.store)
    let parts = configuration.model
    let gathers =
      parts.backbone.usesBatchStatistics || parts.neck.usesBatchStatistics || parts.roiHead.usesBatchStatistics
    statistics = gathers ? model.store.parameters.filter(\.isStatistic) : []
  }

  /// How long this rank's last forward and backward pass took.
  package private(set) var forwardSeconds = 0.0
  package private(set) var backwardSeconds = 0.0

  /// Takes a step on this rank's share of the global batch. Where a loss or a gradient is not finite on any rank, the
  /// parameters and momenta stay.
  ///
  /// - Parameters:
  ///   - seed, epoch: with the image ids, the key of the random samplers.
  ///   - iteration: the steps of the run before this one.
  ///   - skipped: those of them that were not taken.
  ///   - badPictures: how many of this rank's share could not be used.
  ///   - acceptsBadPictures: asked on all ranks, together, where there are any: whether the step is to be taken.
  package func run(
    on input: DetectorInput, seed: UInt64, epoch: Int, iteration: Int, skipped: Int = 0, learningRate: Double,
    badPictures: Int = 0, acceptsBadPictures: () throws -> Bool = { true }
  ) throws -> Outcome {
    let (draws, workers) = (Draws(seed: seed, epoch: epoch), model.engine.workers)
    let kept = statistics.map { ($0, $0.exported($0.values)) }
    let (values, counts) = try accumulateGradients(input, draws)
    let norm = optimizer.gradientNorm(workers)
    let areFinite = exchange.exactSums?.failure == nil && optimizer.gradientsAreFinite(norm: norm, workers)
    var outcome = try exchange.report(
      model.detector.terms, values, counts: counts, gradientsAreFinite: areFinite, badPictures: badPictures,
      step: iteration + 1)
    if outcome.hasBadPictures { outcome.isAccepted = try acceptsBadPictures() }
    guard outcome.isAccepted else {
      restore(kept)
      return outcome
    }
    guard outcome.defect == nil else {
      outcome.defect = try defect(of: values, isOfGradientsAlone: outcome.losses.isFinite, input, draws)
      restore(kept)
      return outcome
    }
    outcome.gradNorm = norm
    optimizer.clipGradients(norm: norm, workers)
    optimizer.isFirstStep = iteration == skipped
    optimizer.step(learningRate: learningRate, workers)
    try injector?.flipBit(in: model.store)
    return outcome
  }

  private func restore(_ statistics: [(Parameter, [Float])]) {
    for (statistic, values) in statistics { statistic.importValues(values, into: statistic.values) }
  }

  /// A part of the share whose forward pass is done.
  private struct Pass {
    let tape: Tape
    let pending: PendingLosses
  }

  private func accumulateGradients(
    _ input: DetectorInput, _ draws: Draws
  ) throws -> (values: [Double], counts: [Double]) {
    let result = try passThrough(input, draws, informing: exchange.reducer)
    try injector?.swapCollectives(in: order)
    try exchange.reducer.finish()
    return result
  }

  /// Forward and back, in the parts that the exchange wants.
  private func passThrough(
    _ input: DetectorInput, _ draws: Draws, informing reducer: GradientReducer?
  ) throws -> (values: [Double], counts: [Double]) {
    let start = ContinuousClock.now
    model.store.zeroGradients()
    defer { model.engine.tape = nil }
    var passes = try exchange.parts(of: input).map { part in
      let tape = Tape()
      model.engine.tape = tape
      return Pass(tape: tape, pending: try model.detector.train(part, draws))
    }
    let counts = exchange.sum(passes.map(\.pending.counts))
    let divisors = try exchange.divisors(counts, images: passes.count)
    var (values, middle) = ([[Double]](), start)
    passes.reverse()
    while !passes.isEmpty {
      let (tape, terms) = try finishNext(of: &passes, divisors)
      if values.isEmpty {
        middle = .now
        try injector?.poisonGradients(of: model.store)
      }
      values.append(terms.map(\.value))
      try tape.backward(from: terms.total, informing: passes.isEmpty ? reducer : nil)
      if !passes.isEmpty { exchange.exactSums?.addImage() }
    }
    (forwardSeconds, backwardSeconds) = (start.duration(to: middle).seconds, middle.duration(to: .now).seconds)
    return (exchange.sum(values), counts)
  }

  /// The second phase of the losses. What is only needed between the two is free when this returns.
  private func finishNext(of passes: inout [Pass], _ divisors: [Double]) throws -> (tape: Tape, terms: [TermValue]) {
    let pass = passes.removeLast()
    model.engine.tape = pass.tape
    return (pass.tape, try pass.pending.finish(divisors))
  }

  /// What the ranks can say about numbers that are not finite. Collective.
  ///
  /// Float sums don't tell whose gradients they were: where these alone were wrong each rank takes the step again, for itself.
  private func defect(
    of values: [Double], isOfGradientsAlone: Bool, _ input: DetectorInput, _ draws: Draws
  ) throws -> StepDefect {
    let terms = zip(model.detector.terms.terms, values).filter { $0.isSummed && !$1.isFinite }.map(\.0.name)
    var finding = StepDefect.Finding(terms: terms, parameter: firstParameterNotFinite)
    if let failure = exchange.exactSums?.failure {
      (finding.parameter, finding.image) = (failure.parameter, input.metas[failure.image].imageID)
    } else if isOfGradientsAlone, exchange.exactSums == nil {
      _ = try passThrough(input, draws, informing: nil)
      if let parameter = firstParameterNotFinite { (finding.parameter, finding.isOwn) = (parameter, true) }
    }
    return try exchange.defect(from: finding)
  }

  /// In the order of the forward pass.
  private var firstParameterNotFinite: String? {
    let (gradients, workers) = (model.store.gradients, model.engine.workers)
    return model.store.trainable.first { !Magnitude.areFinite(gradients + $0.offset, $0.count, workers) }?.name
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
