import Primitives

/// The order of an epoch: a pure function of the seed, the epoch, the images' aspect groups and the global batch.
///
/// It is mmdetection's `GroupSampler` with the global batch as its unit: a batch holds images of one aspect group only;
/// each group is shuffled and filled up with random repeats of its own to whole batches; then the batches are shuffled.
/// So the order does not depend on the number of ranks, which take slices.
public struct EpochOrder: Equatable, Sendable {
  /// The global batches, as indices into the data set's images.
  public let batches: [[Int]]

  /// - Parameters:
  ///   - groups: the aspect group, 0 or 1, of each image.
  ///   - shuffles: without, the images come in the file's order, ungrouped; the last batch is filled up from the start.
  public init(groups: [Int], globalBatch: Int, seed: UInt64, epoch: Int, shuffles: Bool = true) {
    require(globalBatch > 0 && !groups.isEmpty, "an epoch needs images and a batch size")
    guard shuffles else {
      batches = Self.cut(Self.filled(Array(groups.indices), to: globalBatch) { $0 % groups.count }, globalBatch)
      return
    }
    var batches: [[Int]] = []
    for group in 0...1 {
      var random = KeyedRandom(seed: seed, purpose: .shuffle, epoch: epoch, item: Int64(group))
      var members = groups.indices.filter { groups[$0] == group }
      if members.isEmpty { continue }
      random.shuffle(&members)
      batches += Self.cut(Self.filled(members, to: globalBatch) { _ in random.below(members.count) }, globalBatch)
    }
    var random = KeyedRandom(seed: seed, purpose: .shuffle, epoch: epoch, item: 2)
    random.shuffle(&batches)
    self.batches = batches
  }

  /// The images of a batch that a rank works on: a contiguous share, one image larger on the first ranks where the batch
  /// does not divide.
  /// - Precondition: the global batch has an image for each rank.
  public func slice(ofBatch index: Int, rank: Int, ranks: Int) -> ArraySlice<Int> {
    let batch = batches[index]
    require(batch.count >= ranks, "a global batch of \(batch.count) images can't be shared by \(ranks) ranks")
    return batch[Self.share(ofRank: rank, of: ranks, batch: batch.count)]
  }

  /// The places in a global batch of `batch` images that a rank works on.
  public static func share(ofRank rank: Int, of ranks: Int, batch: Int) -> Range<Int> {
    let (share, rest) = batch.quotientAndRemainder(dividingBy: ranks)
    let first = rank * share + min(rank, rest)
    return first..<first + share + (rank < rest ? 1 : 0)
  }

  /// Filled up to a multiple of `batch` with elements of its own; `choose` names the one for each new position.
  private static func filled(_ members: [Int], to batch: Int, choose: (Int) -> Int) -> [Int] {
    let count = (members.count + batch - 1) / batch * batch
    return members + (members.count..<count).map { members[choose($0)] }
  }

  private static func cut(_ members: [Int], _ batch: Int) -> [[Int]] {
    stride(from: 0, to: members.count, by: batch).map { Array(members[$0..<$0 + batch]) }
  }
}
