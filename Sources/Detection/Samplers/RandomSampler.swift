import Primitives

/// Takes a random subset of the assigned boxes; mmdetection's `RandomSampler`, or its `PseudoSampler`, which takes all.
///
/// What is drawn depends on the generator's key and the candidates alone. Each candidate gets a number that follows
/// from the key and its identity, and the smallest are taken: where another proposal more or less survives because of
/// a rounding, that one changes and no other.
public struct RandomSampler: Sendable {
  private let configuration: SamplerConfiguration

  public init(_ configuration: SamplerConfiguration) { self.configuration = configuration }

  /// At most `num` · `pos_fraction` positives, and negatives to fill up to `num`, but no more than `neg_pos_ub` for
  /// each positive (for one, if there is none).
  ///
  /// With `add_gt_as_proposals` the ground truths come first: box i then has the index i + gtBoxes.count.
  /// - Parameters:
  ///   - gtLabels: nil in the RPN.
  ///   - identities: a number for each box that stays its own when others come or go (its anchor); nil: its index.
  public func sample(
    _ assigned: AssignResult, boxes: [Box], identities: [Int]? = nil, gtBoxes: [Box], gtLabels: [Int]? = nil,
    random: inout KeyedRandom
  ) -> SamplingResult {
    let addsGroundTruths = configuration.addGtAsProposals && !configuration.isPseudo && !gtBoxes.isEmpty
    var (assigned, boxes, identities) = (assigned, boxes, identities ?? Array(boxes.indices))
    if addsGroundTruths {
      guard let gtLabels else { preconditionFailure("add_gt_as_proposals needs gtLabels") }
      assigned = assigned.addingGroundTruths(labels: gtLabels)
      boxes = gtBoxes + boxes
      identities = gtBoxes.indices.map { -1 - $0 } + identities
    }
    var posInds = assigned.gtInds.indices.filter { assigned.gtInds[$0] > 0 }
    var negInds = assigned.gtInds.indices.filter { assigned.gtInds[$0] == 0 }
    if !configuration.isPseudo {
      posInds = choose(Int(Float(configuration.num) * configuration.posFraction), of: posInds, identities, &random)
      negInds = choose(expectedNegatives(positives: posInds.count), of: negInds, identities, &random)
    }
    return SamplingResult(
      posInds: posInds, negInds: negInds, boxes: boxes, gtBoxes: gtBoxes,
      numAddedGroundTruths: addsGroundTruths ? gtBoxes.count : 0, assigned: assigned)
  }

  private func expectedNegatives(positives: Int) -> Int {
    let wanted = configuration.num - positives
    guard configuration.negPosUB >= 0 else { return wanted }
    return min(wanted, Int(configuration.negPosUB * Float(max(1, positives))))
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
