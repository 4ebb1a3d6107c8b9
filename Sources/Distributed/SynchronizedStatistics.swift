import MPI
import Tensors

/// The sums that a synchronised norm (mmcv's `SyncBN`) needs, over all ranks.
public final class SynchronizedStatistics: StatisticsSynchronizer {
  private let world: World
  private let order: CollectiveOrder?
  private let purpose: CollectiveOrder.Purpose

  /// Collective: the statistics travel on messages of their own, since gradients are under way at the same time.
  /// - Parameters:
  ///   - world: the ranks; it is duplicated.
  ///   - order: where each sum is recorded, so that ranks in different collectives are noticed; nil: nowhere.
  ///   - purpose: what is summed, each on a communicator of its own.
  public init(world: World, order: CollectiveOrder? = nil, purpose: CollectiveOrder.Purpose = .statistics) throws {
    (self.world, self.order, self.purpose) = (try world.duplicate(), order, purpose)
  }

  public func sum(_ values: inout [Double]) throws {
    guard let order else { return try world.sum(&values) }
    order.record(purpose, "sums", count: values.count)
    try order.waiting { try world.sum(&values) }
  }
}
