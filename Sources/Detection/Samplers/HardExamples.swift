import Primitives

/// Online hard example mining (Shrivastava et al., "Training region-based object detectors with online hard example
/// mining"): mmdetection's `OHEMSampler`.
enum HardExamples {
  /// Those whose classification loss is the highest as the head stands; of equal ones those with the smallest identity.
  /// - Parameter indices: all positives, or all negatives.
  static func choose(_ count: Int, of indices: [Int], _ candidates: SamplingCandidates) throws -> [Int] {
    guard let losses = candidates.losses, let background = candidates.backgroundLabel else {
      bug("hard examples are asked for where no head tells losses")
    }
    let labels = indices.map { index in
      candidates.assigned.gtInds[index] > 0 ? candidates.assigned.labels?[index] ?? background : background
    }
    let values = try losses(indices.map { candidates.boxes[$0] }, labels)
    // A loss that is no number comes first, so that it is seen.
    let order = indices.indices.sorted { a, b in
      let (first, second) = (values[a].isNaN ? .infinity : values[a], values[b].isNaN ? .infinity : values[b])
      if first != second { return first > second }
      return candidates.identities[indices[a]] < candidates.identities[indices[b]]
    }
    return order.prefix(count).map { indices[$0] }
  }
}
