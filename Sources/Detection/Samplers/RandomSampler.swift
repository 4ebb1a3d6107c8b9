import Primitives

/// `sampler`, type `RandomSampler`.
public struct RandomSamplerConfiguration: Equatable, Sendable {
  public var num = 256
  /// A double, as in Python: the number of positives is the product with `num`, cut off.
  public var posFraction = 0.5
  /// At most this many negatives for each positive; below 0 no bound.
  public var negPosUB = -1.0
  public var addGtAsProposals = false

  public init() {}
}

/// Takes a random subset of the assigned boxes; mmdetection's `RandomSampler`.
///
/// What is drawn depends on the generator's key and the candidates alone. Each candidate gets a number that follows
/// from the key and its identity, and the smallest are taken: where another proposal more or less survives because of
/// a rounding, that one changes and no other.
public struct RandomSampler: Sampler {
  private let configuration: RandomSamplerConfiguration

  public init(_ configuration: RandomSamplerConfiguration) { self.configuration = configuration }

  /// At most `num` · `pos_fraction` positives, and negatives to fill up to `num`, but no more than `neg_pos_ub` for
  /// each positive (for one, if there is none).
  ///
  /// With `add_gt_as_proposals` the ground truths come first: box i then has the index i + gtBoxes.count.
  public func sample(_ candidates: SamplingCandidates, random: inout KeyedRandom) -> SamplingResult {
    var (assigned, boxes, identities) = (candidates.assigned, candidates.boxes, candidates.identities)
    let gtBoxes = candidates.gtBoxes
    let addsGroundTruths = configuration.addGtAsProposals && !gtBoxes.isEmpty
    if addsGroundTruths {
      guard let gtLabels = candidates.gtLabels else { bug("add_gt_as_proposals needs the labels of ground truths") }
      assigned = assigned.addingGroundTruths(labels: gtLabels)
      boxes = gtBoxes + boxes
      identities = gtBoxes.indices.map { -1 - $0 } + identities
    }
    let expectedPositives = Int(Double(configuration.num) * configuration.posFraction)
    let posInds = choose(expectedPositives, of: assigned.positives, identities, &random)
    let negInds = choose(expectedNegatives(positives: posInds.count), of: assigned.negatives, identities, &random)
    return SamplingResult(
      posInds: posInds, negInds: negInds, boxes: boxes, gtBoxes: gtBoxes,
      numAddedGroundTruths: addsGroundTruths ? gtBoxes.count : 0, assigned: assigned)
  }

  private func expectedNegatives(positives: Int) -> Int {
    let wanted = configuration.num - positives
    guard configuration.negPosUB >= 0 else { return wanted }
    let bound = configuration.negPosUB * Double(max(1, positives))
    return bound < Double(wanted) ? Int(bound) : wanted
  }

  /// A random subset in ascending order: the candidates with the smallest numbers.
  private func choose(
    _ count: Int, of candidates: [Int], _ identities: [Int], _ random: inout KeyedRandom
  ) -> [Int] {
    let key = random.next()
    guard candidates.count > count else { return candidates }
    let numbers = candidates.map { KeyedRandom.mix(key ^ UInt64(bitPattern: Int64(identities[$0]))) }
    // Only those below a bound that a little more than `count` are expected to fall under need sorting.
    var share = Double(count + 16) / Double(candidates.count)
    while true {
      let bound = share < 1 ? UInt64(share * 0x1p64) : .max
      let low = candidates.indices.filter { numbers[$0] <= bound }
      if low.count >= count {
        return low.sorted { numbers[$0] < numbers[$1] }.prefix(count).map { candidates[$0] }.sorted()
      }
      share *= 1.5
    }
  }
}
