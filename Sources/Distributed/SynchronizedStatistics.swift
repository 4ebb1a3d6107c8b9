import MPI
import Tensors

/// The sums that a synchronised norm (mmcv's `SyncBN`) needs, over all ranks.
public final class SynchronizedStatistics: StatisticsSynchronizer {
  private let world: World
  private let order: CollectiveOrder?

  /// Collective: the statistics travel on messages of their own, since gradients are under way at the same time.
  public init(world: World, order: CollectiveOrder? = nil) throws {
    (self.world, self.order) = (try world.duplicate(), order)
  }

  public func sum(_ values: inout [Double]) throws {
    order?.record(.statistics, "sums", count: values.count)
    try world.sum(&values)
  }
}
