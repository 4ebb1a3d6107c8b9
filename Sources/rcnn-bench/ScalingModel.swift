import Foundation

/// Weak scaling of a training step: each rank keeps its batch, and the gradients of all ranks are summed.
///
/// With B bytes of gradients, p ranks on m nodes of q each, n buckets of which w are under way at a time:
///
/// - within a node    2 (q-1)/q · B / rate, where the rate is B / seconds of `rcnn-bench allreduce` at 2 ranks. The ranks
///                    copy and add it themselves between the operations of backward: never free, always added.
/// - between nodes    2 (m-1)/m · B / (efficiency · link) + n/w · 2 log₂ p · latency. Rabenseifner's algorithm over ranks
///                    that are numbered node by node sends B/q a rank, so that the node's link carries B.
/// - hidden           what the network does during backward; not more than backward lasts, nor than the polls between
///                    its operations move: a poll takes each bucket under way one of its 2 log₂ p rounds further.
/// - slowest rank     deviation · √(2 ln p) of the step, the bound of the mean maximum of p normal deviates.
struct ScalingModel {
  /// Of one rank alone.
  var stepSeconds: Double
  var backwardSeconds: Double
  var floats: Double
  /// Bytes a second of the exchange between 2 ranks of one node.
  var nodeRate: Double
  var ranksPerNode: Int
  var bucketBytes: Double
  var bucketsInFlight: Double
  /// Operations of the backward pass, after each of which the requests are polled.
  var polls: Double
  var latencySeconds: Double
  /// The part of a link's bits that are payload.
  var linkEfficiency: Double
  /// The standard deviation of a rank's step, as a part of it.
  var deviation: Double

  struct Prediction {
    let stepSeconds: Double
    /// Within the node and between nodes together, as if nothing hid it.
    let exchangeSeconds: Double
    /// The part of it that is not waited for after backward.
    let hiddenShare: Double
    /// The step of one rank alone as a part of this one.
    let efficiency: Double
  }

  /// - Parameter link: bytes a second of a node's network card.
  func prediction(ranks: Int, link: Double) -> Prediction {
    let bytes = 4 * floats
    let onNode = Double(min(ranks, ranksPerNode))
    let nodes = (Double(ranks) / onNode).rounded(.up)
    let buckets = (bytes / bucketBytes).rounded(.up)
    let rounds = 2 * log2(Double(ranks)).rounded(.up)
    let node = 2 * (onNode - 1) / onNode * bytes / nodeRate
    var network = 0.0
    if nodes > 1 {
      network = 2 * (nodes - 1) / nodes * bytes / (linkEfficiency * link)
      network += buckets / bucketsInFlight * rounds * latencySeconds
    }
    let movable = rounds > 0 ? min(1, polls * bucketsInFlight / (buckets * rounds)) : 1
    let waited = max(network - backwardSeconds, network * (1 - movable), network / buckets)
    let slowest = stepSeconds * deviation * sqrt(2 * log(Double(ranks)))
    let total = stepSeconds + slowest + node + waited
    let exchange = node + network
    return Prediction(
      stepSeconds: total, exchangeSeconds: exchange, hiddenShare: exchange > 0 ? 1 - waited / exchange : 1,
      efficiency: stepSeconds / total)
  }
}
