import Primitives

/// The order of an epoch: a pure function of the seed, the epoch, the images' aspect groups and the global batch.
///
/// It is mmdetection's `GroupSampler` with the global batch as its unit: a batch holds images of one aspect group only;
/// each group is shuffled and filled up with random repeats of its own to whole batches; then the batches are shuffled.
/// A repeat has a draw of its own, as there: it is not a copy.
/// So the order does not depend on the number of ranks, which take slices.
public struct EpochOrder: Equatable, Sendable {
  /// The global batches, as indices into the data set's images.
  public var batches: [[Int]] { filled.map(\.indices) }
  private let filled: [FilledBatch]

  private struct FilledBatch: Equatable {
    let indices: [Int]
    /// How many at its end are repeats.
    let repeats: Int
  }

  public var count: Int { filled.count }

  /// A global batch, and the number of the draw for each of its images: 0, or from 1 on for repeats.
  package func batch(_ index: Int) -> (indices: [Int], draws: [Int]) {
    let batch = filled[index]
    let first = batch.indices.count - batch.repeats
    return (batch.indices, batch.indices.indices.map { max(0, $0 - first + 1) })
  }

  /// - Parameters:
  ///   - groups: the aspect group, 0 or 1, of each image.
  ///   - globalBatch: images a step over all ranks; more than 0.
  ///   - seed: of the run.
  ///   - epoch: 0-based.
  ///   - shuffles: without, the images come in the file's order, ungrouped; the last batch is filled up from the start.
  public init(groups: [Int], globalBatch: Int, seed: UInt64, epoch: Int, shuffles: Bool = true) {
    require(globalBatch > 0 && !groups.isEmpty, "an epoch needs images and a batch size")
    guard shuffles else {
      filled = Self.cut(Array(groups.indices), globalBatch) { $0 % groups.count }
      return
    }
    var batches: [FilledBatch] = []
    for group in 0...1 {
      var random = KeyedRandom(seed: seed, purpose: .shuffle, epoch: epoch, item: Int64(group))
      var members = groups.indices.filter { groups[$0] == group }
      if members.isEmpty { continue }
      random.shuffle(&members)
      batches += Self.cut(members, globalBatch) { _ in random.below(members.count) }
    }
    var random = KeyedRandom(seed: seed, purpose: .shuffle, epoch: epoch, item: 2)
    random.shuffle(&batches)
    filled = batches
  }

  /// The images of a batch that a rank works on: a contiguous share, one image larger on the first ranks where the batch
  /// does not divide.
  /// - Precondition: the global batch has an image for each rank.
  /// - Returns: their places in it.
  package func share(ofBatch index: Int, rank: Int, ranks: Int) -> Range<Int> {
    let count = filled[index].indices.count
    require(count >= ranks, "a global batch of \(count) images can't be shared by \(ranks) ranks")
    return Self.share(ofRank: rank, of: ranks, batch: count)
  }

  /// The places in a global batch of `batch` images that a rank works on.
  public static func share(ofRank rank: Int, of ranks: Int, batch: Int) -> Range<Int> {
    let (share, rest) = batch.quotientAndRemainder(dividingBy: ranks)
    let first = rank * share + min(rank, rest)
    return first..<first + share + (rank < rest ? 1 : 0)
  }

  /// In batches, of which the last is filled up with elements of its own; `choose` names the one for each new position.
  private static func cut(_ members: [Int], _ batch: Int, choose: (Int) -> Int) -> [FilledBatch] {
    let count = (members.count + batch - 1) / batch * batch
    let all = members + (members.count..<count).map { members[choose($0)] }
    return stride(from: 0, to: count, by: batch).map {
      FilledBatch(indices: Array(all[$0..<$0 + batch]), repeats: max(0, $0 + batch - members.count))
    }
  }
}
