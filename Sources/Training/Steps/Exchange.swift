import Detection
import Distributed
import MPI
import Tensors

/// What the ranks tell each other in a step.
final class Exchange {
  let reducer: GradientReducer
  /// Adds the losses' normalisers over all ranks; nil where each rank divides by its own.
  let normalizer: SynchronizedStatistics?
  private let world: World
  private let order: CollectiveOrder

  /// Collective. `order` is shared with the statistics of the model's SyncBN.
  init(world: World, store: ParameterStore, configuration: RunConfiguration, order: CollectiveOrder) throws {
    (self.world, self.order) = (world, order)
    let isGlobal = configuration.model.normalizesLossesGlobally
    reducer = try GradientReducer(
      store: store, world: world, bucketBytes: Int(configuration.mpi.bucketSizeMB * 1_048_576),
      dividesByWorldSize: !isGlobal, order: order)
    try reducer.measureAlone()
    normalizer = isGlobal ? try SynchronizedStatistics(world: world, order: order, purpose: .normalizers) : nil
  }

  /// What this rank's losses are divided by: the counts of all ranks, or its own. The one summation of counts in a step.
  func divisors(_ counts: [Double]) throws -> [Double] {
    var counts = counts
    try normalizer?.sum(&counts)
    return counts
  }

  /// The losses of the global batch, the signals that came to any rank and the mean cost of the exchange; the same on
  /// all ranks.
  /// - Parameters:
  ///   - values: this rank's values of `terms`.
  ///   - counts: this rank's counts.
  func report(_ terms: LossTerms, _ values: [Double], counts: [Double], step: Int) throws -> TrainingStep.Outcome {
    let isFinite = zip(terms.terms, values).allSatisfy { !$0.isSummed || $1.isFinite }
    let mine = StepReport(
      losses: values, counts: counts + [reducer.waitedSeconds, reducer.hiddenShare], isFinite: isFinite,
      signals: Signals.received)
    let all = try mine.summed(over: world, order: order, step: step)
    Signals.forget(all.signals)
    let ranks = Double(world.size)
    let means = zip(terms.terms, all.losses).map { term, sum in
      // Summed terms are divided already: with global normalisers each rank has its part of the mean, else a mean of
      // its own.
      if term.isSummed { return normalizer == nil ? sum / ranks : sum }
      return term.divisor.map { sum / max(1, all.counts[$0]) } ?? sum
    }
    let times = all.counts.suffix(2).map { $0 / ranks }
    return TrainingStep.Outcome(
      losses: LossValues(terms, means), wishes: StepWishes(save: !all.signals.isEmpty, stop: all.signals.isStop),
      sync: world.size > 1 ? SyncTimes(waitedSeconds: times[0], hiddenShare: times[1]) : nil)
  }
}
