/// Sums the statistics of a synchronised norm over all ranks.
public protocol StatisticsSynchronizer: AnyObject {
  /// Replaces each of the values by its sum over the ranks. All ranks call it with as many values, in the same order.
  func sum(_ values: inout [Double]) throws
}
