/// Sums the statistics of a synchronised norm over all ranks.
public protocol StatisticsSynchronizer: AnyObject {
  func sum(_ values: inout [Double]) throws
}
