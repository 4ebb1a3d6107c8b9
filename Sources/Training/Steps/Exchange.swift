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
    normalizer = isGlobal ? try SynchronizedStatistics(world: world, order: order) : nil
  }

  /// The losses of the global batch, the signals that came to any rank and the mean cost of the exchange; the same on
  /// all ranks.
  func report(_ losses: DetectionLosses, step: Int) throws -> TrainingStep.Outcome {
    let scalars = [losses.rpnCls, losses.rpnBBox, losses.cls, losses.bbox].map { Double($0.values[0]) }
    let counts = [Double(losses.correct), Double(losses.samples), reducer.waitedSeconds, reducer.hiddenShare]
    let mine = StepReport(
      losses: scalars, counts: counts,
      isFinite: scalars.allSatisfy(\.isFinite), signals: Signals.received)
    let all = try mine.summed(over: world, order: order, step: step)
    Signals.forget(all.signals)
    // With global normalisers each rank has its part of the mean, else a mean of its own.
    let sums = all.losses.map { normalizer == nil ? $0 / Double(world.size) : $0 }
    let values = LossValues(
      rpnCls: sums[0], rpnBBox: sums[1], cls: sums[2], accuracy: 100 * all.counts[0] / max(1, all.counts[1]),
      bbox: sums[3])
    let ranks = Double(world.size)
    let sync = SyncTimes(waitedSeconds: all.counts[2] / ranks, hiddenShare: all.counts[3] / ranks)
    return TrainingStep.Outcome(
      losses: values, wishes: StepWishes(save: !all.signals.isEmpty, stop: all.signals.isStop),
      sync: world.size > 1 ? sync : nil)
  }
}
