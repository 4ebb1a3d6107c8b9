import Detection
import Distributed
import Kernels
import Layers
import MPI
import Tensors

/// One training step, as all ranks take it together: forward; backward, while which the gradients are summed over the
/// ranks; the step's one report; clipping and the optimiser's step. Where several iterations share a step
/// (`GradientWindow`), the gradients stay with their ranks until the last of them.
public final class TrainingStep {
  /// What a step found, the same on all ranks.
  public struct Outcome {
    public let losses: LossValues
    public let wishes: StepWishes
    /// nil in a world of one.
    public let sync: SyncTimes?
    let hasBadPictures: Bool
    /// Whether the batch was taken for good in spite of its bad pictures; where not, the parameters stayed as they were.
    public internal(set) var isAccepted = true
    /// The norm of the gradients before clipping; nil without `grad_clip`.
    public internal(set) var gradNorm: Double?
    /// What was not finite, so that the parameters stayed as they were; nil where the step was taken.
    public internal(set) var defect: StepDefect?
    /// Whether the optimiser took a step.
    public internal(set) var isUpdated = false
  }

  private let model: DetectorModel
  private let exchange: Exchange
  private let optimizer: Optimizer
  private let average: AverageConfiguration?
  /// Whether an iteration of the open window was not finite: then the window is left out as a whole.
  private var windowIsSpoilt = false
  private let order: CollectiveOrder
  private let injector: Injector?
  /// What the forward pass changes, where norms gather it; a step that is not taken must not.
  private let statistics: [Parameter]

  /// Collective. `order` is shared with the statistics of the model's SyncBN.
  public init(
    model: DetectorModel, world: World, configuration: RunConfiguration, order: CollectiveOrder,
    injector: Injector? = nil
  ) throws {
    (self.model, self.order, self.injector) = (model, order, injector)
    exchange = try Exchange(world: world, model: model, configuration: configuration, order: order)
    optimizer = Optimizer(configuration: configuration.optimizer, store: model.store)
    average = configuration.average
    if average != nil { model.store.keep([.average]) }
    statistics = configuration.model.usesBatchStatistics ? model.store.parameters.filter(\.isStatistic) : []
  }

  /// How long this rank's last forward and backward pass took.
  public private(set) var forwardSeconds = 0.0
  public private(set) var backwardSeconds = 0.0
  /// How much of both it was at work, and did not wait for others.
  private var busySeconds = 0.0

  /// Takes a step on this rank's share of the global batch. Where a loss or a gradient is not finite on any rank, the
  /// parameters and their states stay.
  ///
  /// - Parameters:
  ///   - input: this rank's images, with their boxes and labels.
  ///   - seed: with the epoch and the image ids, the key of the random samplers.
  ///   - epoch: 0-based.
  ///   - iteration: the steps of the run before this one.
  ///   - updates: those of them after which the optimiser took a step; nil: all.
  ///   - window: the iterations that share a step of the optimiser, and the place of this one.
  ///   - isRepeated: whether it was taken before, by a run that this one goes on: only the gradients are gathered.
  ///   - learningRate: of parameters without a factor of their own.
  ///   - rate: the learning rate of parameters with a factor; nil: `learningRate` times it.
  ///   - badPictures: how many of this rank's share could not be used.
  ///   - readingSeconds: how long this rank waited for its pictures.
  ///   - acceptsBadPictures: asked on all ranks, together, where there are any: whether the step is to be taken.
  public func run(
    on input: DetectorInput, seed: UInt64, epoch: Int, iteration: Int, updates: Int? = nil,
    window: GradientWindow = .single, isRepeated: Bool = false, learningRate: Double,
    rate: ((Double) -> Double)? = nil, badPictures: Int = 0, readingSeconds: Double = 0,
    acceptsBadPictures: () throws -> Bool = { true }
  ) throws -> Outcome {
    let (draws, workers) = (Draws(seed: seed, epoch: epoch), model.engine.workers)
    let kept = statistics.map { ($0, $0.exported($0.values)) }
    if window.isFirst || windowIsSpoilt { model.store.zeroGradients() }
    if window.isFirst { windowIsSpoilt = false }
    let (values, counts) = try accumulateGradients(input, draws, window)
    let norm = window.isLast ? optimizer.gradientNorm(workers) : nil
    let areFinite = exchange.exactSums?.failure == nil && optimizer.gradientsAreFinite(norm: norm, workers)
    var outcome = try exchange.report(
      model.detector.terms, values, counts: counts, gradientsAreFinite: areFinite, badPictures: badPictures,
      busySeconds: readingSeconds + busySeconds, step: iteration + 1)
    if outcome.hasBadPictures { outcome.isAccepted = try acceptsBadPictures() }
    guard outcome.isAccepted else {
      restore(kept)
      return outcome
    }
    guard outcome.defect == nil else {
      windowIsSpoilt = true
      outcome.defect = try defect(of: values, isOfGradientsAlone: outcome.losses.isFinite, input, draws, window)
      restore(kept)
      return outcome
    }
    guard !isRepeated else {
      restore(kept)
      return outcome
    }
    if window.isLast, !windowIsSpoilt {
      (outcome.gradNorm, outcome.isUpdated) = (norm, true)
      optimizer.clipGradients(norm: norm, workers)
      optimizer.stepCount = updates ?? iteration
      optimizer.step({ rate?(Double($0)) ?? learningRate * Double($0) }, workers)
    }
    updateAverages(after: iteration)
    try injector?.flipBit(in: model.store)
    return outcome
  }

  /// mmcv's `EMAHook`, which follows each iteration, also those without a step of the optimiser.
  private func updateAverages(after iteration: Int) {
    guard let intake = average?.intake(after: iteration) else { return }
    let store = model.store
    RunningMean.update(
      store.state(.average), store.values, store.trainableCount, momentum: intake, model.engine.workers)
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
    _ input: DetectorInput, _ draws: Draws, _ window: GradientWindow
  ) throws -> (values: [Double], counts: [Double]) {
    let result = try passThrough(input, draws, window, informing: window.isLast ? exchange.reducer : nil)
    try injector?.swapCollectives(in: order)
    guard window.isLast else { return result }
    try exchange.reducer.finish()
    if window.length > 1 {
      let (store, workers) = (model.store, model.engine.workers)
      VectorNorm.scale(store.gradients, store.trainableCount, by: 1 / Float(window.length), workers)
    }
    return result
  }

  /// Forward and back, in the parts that the exchange wants.
  private func passThrough(
    _ input: DetectorInput, _ draws: Draws, _ window: GradientWindow, informing reducer: GradientReducer?
  ) throws -> (values: [Double], counts: [Double]) {
    let (start, waited) = (ContinuousClock.now, order.waitedSeconds)
    defer { model.engine.tape = nil }
    var passes = try exchange.parts(of: input).map { part in
      let tape = Tape()
      model.engine.tape = tape
      return Pass(tape: tape, pending: try model.detector.train(part, draws))
    }
    let counts = exchange.sum(passes.map(\.pending.counts))
    let divisors = try exchange.divisors(counts, images: passes.count, window)
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
      if !passes.isEmpty || reducer == nil { exchange.exactSums?.addImage() }
    }
    (forwardSeconds, backwardSeconds) = (start.duration(to: middle).seconds, middle.duration(to: .now).seconds)
    busySeconds = forwardSeconds + backwardSeconds - (order.waitedSeconds - waited)
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
    of values: [Double], isOfGradientsAlone: Bool, _ input: DetectorInput, _ draws: Draws, _ window: GradientWindow
  ) throws -> StepDefect {
    let terms = zip(model.detector.terms.terms, values).filter { $0.isSummed && !$1.isFinite }.map(\.0.name)
    var finding = StepDefect.Finding(terms: terms, parameter: firstParameterNotFinite)
    if let failure = exchange.exactSums?.failure {
      (finding.parameter, finding.image) = (failure.parameter, input.metas[failure.image].imageID)
    } else if isOfGradientsAlone, exchange.exactSums == nil {
      model.store.zeroGradients()
      _ = try passThrough(input, draws, window, informing: nil)
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

/// What a step's exchange of gradients cost, the mean over the ranks, and how even their work was.
public struct SyncTimes: Sendable {
  /// How long a rank waited after its backward pass: for the network, and for slower ranks.
  public let waitedSeconds: Double
  /// The part, 0 ... 1, of the time that the exchange takes alone (measured at the start) and that was not waited for.
  public let hiddenShare: Double
  /// Of each rank: how long it waited for its pictures and computed, forward and back, without what it waited for others.
  public let busySeconds: [Double]

  /// The slowest rank's time by the mean of all: 1 where the work is even. The mean is what a step could take.
  public var imbalance: Double {
    let mean = busySeconds.reduce(0, +) / Double(busySeconds.count)
    return mean > 0 ? (busySeconds.max() ?? 0) / mean : 1
  }
}

/// What signals on any rank ask for; the same on all ranks.
public struct StepWishes {
  public var save = false
  public var stop = false

  mutating func add(_ other: StepWishes) { (save, stop) = (save || other.save, stop || other.stop) }
}
