import Primitives

/// Takes all boxes that were assigned; mmdetection's `PseudoSampler`.
public struct PseudoSampler: Sampler {
  public init() {}

  public func sample(_ candidates: SamplingCandidates, random: inout KeyedRandom) -> SamplingResult {
    let assigned = candidates.assigned
    return SamplingResult(
      posInds: assigned.positives, negInds: assigned.negatives, boxes: candidates.boxes, gtBoxes: candidates.gtBoxes,
      numAddedGroundTruths: 0, assigned: assigned)
  }
}

extension AssignResult {
  /// The boxes that stand for a ground truth, ascending.
  var positives: [Int] { gtInds.indices.filter { gtInds[$0] > 0 } }
  /// The boxes that are background, ascending.
  var negatives: [Int] { gtInds.indices.filter { gtInds[$0] == 0 } }
}
