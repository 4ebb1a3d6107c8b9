import Primitives

/// Takes a random subset of the assigned boxes; mmdetection's `RandomSampler`, or its `PseudoSampler`, which takes all.
///
/// What is drawn depends on the generator's key and the candidates alone.
public struct RandomSampler: Sendable {
  private let configuration: SamplerConfiguration

  public init(_ configuration: SamplerConfiguration) { self.configuration = configuration }

  /// At most `num` · `pos_fraction` positives, and negatives to fill up to `num`, but no more than `neg_pos_ub` for
  /// each positive (for one, if there is none).
  ///
  /// With `add_gt_as_proposals` the ground truths come first: box i then has the index i + gtBoxes.count.
  /// - Parameter gtLabels: nil in the RPN.
  public func sample(
    _ assigned: AssignResult, boxes: [Box], gtBoxes: [Box], gtLabels: [Int]? = nil, random: inout KeyedRandom
  ) -> SamplingResult {
    let addsGroundTruths = configuration.addGtAsProposals && !configuration.isPseudo && !gtBoxes.isEmpty
    var (assigned, boxes) = (assigned, boxes)
    if addsGroundTruths {
      guard let gtLabels else { preconditionFailure("add_gt_as_proposals needs gtLabels") }
      assigned = assigned.addingGroundTruths(labels: gtLabels)
      boxes = gtBoxes + boxes
    }
    var posInds = assigned.gtInds.indices.filter { assigned.gtInds[$0] > 0 }
    var negInds = assigned.gtInds.indices.filter { assigned.gtInds[$0] == 0 }
    if !configuration.isPseudo {
      posInds = choose(Int(Float(configuration.num) * configuration.posFraction), of: posInds, &random)
      negInds = choose(expectedNegatives(positives: posInds.count), of: negInds, &random)
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

  /// A random subset in ascending order: the head of a Fisher–Yates shuffle.
  private func choose(_ count: Int, of candidates: [Int], _ random: inout KeyedRandom) -> [Int] {
    guard candidates.count > count else { return candidates }
    var candidates = candidates
    for i in 0..<count { candidates.swapAt(i, i + random.below(candidates.count - i)) }
    return candidates.prefix(count).sorted()
  }
}
