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
    normalizer = isGlobal ? try SynchronizedStatistics(world: world, order: order) : nil
  }

  /// The losses of the global batch and the signals that came to any rank, the same on all ranks.
  func report(_ losses: DetectionLosses, step: Int) throws -> (losses: LossValues, wishes: StepWishes) {
    let scalars = [losses.rpnCls, losses.rpnBBox, losses.cls, losses.bbox].map { Double($0.values[0]) }
    let mine = StepReport(
      losses: scalars, counts: [Double(losses.correct), Double(losses.samples)],
      isFinite: scalars.allSatisfy(\.isFinite), signals: Signals.received)
    let all = try mine.summed(over: world, order: order, step: step)
    Signals.forget(all.signals)
    // With global normalisers each rank has its part of the mean, else a mean of its own.
    let sums = all.losses.map { normalizer == nil ? $0 / Double(world.size) : $0 }
    let values = LossValues(
      rpnCls: sums[0], rpnBBox: sums[1], cls: sums[2], accuracy: 100 * all.counts[0] / max(1, all.counts[1]),
      bbox: sums[3])
    return (values, StepWishes(save: !all.signals.isEmpty, stop: all.signals.isStop))
  }
}
