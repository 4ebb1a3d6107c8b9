import Detection
import Distributed
import MPI
import Tensors

/// What the ranks tell each other in a step.
final class Exchange {
  let reducer: GradientReducer
  /// With `mpi.reduction: exact`: what the gradients of single images are added to.
  let exactSums: FixedPointSums?
  /// Adds the losses' normalisers over all ranks; nil where each rank divides by its own.
  let normalizer: SynchronizedStatistics?
  private let world: World
  private let order: CollectiveOrder

  /// Collective. `order` is shared with the statistics of the model's SyncBN.
  init(world: World, model: DetectorModel, configuration: RunConfiguration, order: CollectiveOrder) throws {
    (self.world, self.order) = (world, order)
    let isGlobal = configuration.model.normalizesLossesGlobally
    exactSums =
      configuration.mpi.reduction == .exact
      ? FixedPointSums(store: model.store, workers: model.engine.workers) : nil
    reducer = try GradientReducer(
      store: model.store, world: world, bucketBytes: Int(configuration.mpi.bucketSizeMB * 1_048_576),
      dividesByWorldSize: !isGlobal, exactSums: exactSums, order: order)
    try reducer.measureAlone()
    normalizer = isGlobal ? try SynchronizedStatistics(world: world, order: order, purpose: .normalizers) : nil
  }

  /// What passes forward and back together: the whole share; image by image where sums are exact, so that no product
  /// depends on what else is in the share.
  func parts(of input: DetectorInput) -> [DetectorInput] {
    exactSums == nil ? [input] : input.metas.indices.map(input.image)
  }

  /// The sums of what the parts of this rank's share gave. Exact ones are of multiples of 2⁻²⁴, so that a double holds them
  /// in any order, below 2²⁹.
  func sum(_ parts: [[Double]]) -> [Double] {
    guard exactSums != nil else { return parts[0] }
    let length = parts[0].count
    return (0..<length).map { place in
      parts.reduce(0) { $0 + ($1[place] * 0x1p24).rounded() * 0x1p-24 }
    }
  }

  /// What this rank's losses are divided by: the counts of all ranks, or its own. The one summation of counts in a step,
  /// with which exact sums begin.
  /// - Parameters:
  ///   - images: in how many parts this rank's share passes.
  ///   - window: the iterations whose gradients are summed.
  func divisors(_ counts: [Double], images: Int, _ window: GradientWindow) throws -> [Double] {
    var counts = counts + (exactSums == nil ? [] : [Double(images)])
    try normalizer?.sum(&counts)
    if let exactSums { exactSums.begin(images: Int(counts.removeLast()) * window.length) }
    return counts
  }

  /// The losses of the global batch, the signals that came to any rank and the mean cost of the exchange; the same on
  /// all ranks.
  /// - Parameters:
  ///   - values: this rank's values of `terms`.
  ///   - counts: this rank's counts.
  ///   - gradientsAreFinite: whether this rank can apply the sums.
  ///   - badPictures: of this rank's share.
  ///   - busySeconds: how long this rank was at work by itself. Each rank has a place of its own in the report.
  func report(
    _ terms: LossTerms, _ values: [Double], counts: [Double], gradientsAreFinite: Bool, badPictures: Int,
    busySeconds: Double, step: Int
  ) throws -> TrainingStep.Outcome {
    let lossesAreFinite = zip(terms.terms, values).allSatisfy { !$0.isSummed || $1.isFinite }
    let busy = (0..<world.size).map { $0 == world.rank ? busySeconds : 0 }
    let mine = StepReport(
      losses: values, counts: counts + [reducer.waitedSeconds, reducer.hiddenShare] + busy,
      isFinite: lossesAreFinite && gradientsAreFinite, badPictures: badPictures, signals: Signals.received)
    let all = try mine.summed(over: world, order: order, step: step)
    Signals.forget(all.signals)
    let ranks = Double(world.size)
    let means = zip(terms.terms, all.losses).map { term, sum in
      // Summed terms are divided already: with global normalisers each rank has its part of the mean, else a mean of
      // its own.
      if term.isSummed { return normalizer == nil ? sum / ranks : sum }
      return term.divisor.map { sum / max(1, all.counts[$0]) } ?? sum
    }
    let (times, losses) = (all.counts.dropFirst(counts.count), LossValues(terms, means))
    let sync = SyncTimes(
      waitedSeconds: times[counts.count] / ranks, hiddenShare: times[counts.count + 1] / ranks,
      busySeconds: Array(times.dropFirst(2)))
    return TrainingStep.Outcome(
      losses: losses, wishes: StepWishes(save: !all.signals.isEmpty, stop: all.signals.isStop),
      sync: world.size > 1 ? sync : nil,
      hasBadPictures: all.badPictures > 0, defect: all.nonFiniteRanks > 0 || !losses.isFinite ? StepDefect() : nil)
  }

  /// What the ranks found, put together. Collective.
  func defect(from finding: StepDefect.Finding) throws -> StepDefect {
    try world.shared(StepDefect(world.gathered(finding)))
  }
}
