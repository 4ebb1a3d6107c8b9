/// The objects and the detections of one class in one picture, and how the detections are assigned to the objects
/// (pycocotools' `computeIoU` and `evaluateImg`): greedily in the order of scores, at every IoU threshold and for
/// every size range.
struct ClassMatcher {
  private let groundTruths: [EvaluationGroundTruth]
  private let detections: [EvaluationDetection]
  /// One row a detection, one column a ground truth.
  private let overlaps: [Double]

  /// Only the `limit` best detections take part. Equal scores keep their order.
  init(groundTruths: [EvaluationGroundTruth], detections: [EvaluationDetection], limit: Int) {
    self.groundTruths = groundTruths
    let best = stableOrder(byDescending: detections.map(\.score)).prefix(limit).map { detections[$0] }
    self.detections = best
    overlaps = best.flatMap { detection in
      groundTruths.map { detection.box.overlap(with: $0.box, isCrowd: $0.isCrowd) }
    }
  }

  func matches(label: Int) -> ClassMatches {
    var result = ClassMatches(
      label: label, groundTruthCounts: [],
      detections: detections.map { DetectionMatch(score: $0.score, matched: 0, ignored: 0) })
    for range in SizeRange.allCases {
      let ignored = groundTruths.map { $0.isCrowd || !range.areas.contains($0.area) }
      result.groundTruthCounts.append(ignored.count { !$0 })
      for threshold in EvaluationThresholds.overlaps.indices {
        match(range, threshold, ignored, into: &result.detections)
      }
    }
    return result
  }

  private func match(
    _ range: SizeRange, _ threshold: Int, _ ignored: [Bool], into matches: inout [DetectionMatch]
  ) {
    let ordered = groundTruths.indices.filter { !ignored[$0] } + groundTruths.indices.filter { ignored[$0] }
    let bit = DetectionMatch.bit(range, threshold)
    var taken = [Bool](repeating: false, count: groundTruths.count)
    for row in detections.indices {
      let found = bestMatch(
        row, atLeast: EvaluationThresholds.overlaps[threshold], ordered: ordered, ignored: ignored, taken: taken)
      if let found {
        taken[found] = true
        if ignored[found] { matches[row].ignored |= bit }
      }
      // pycocotools records a match by the annotation's id and reads 0 as "none".
      if let found, groundTruths[found].annotationID != 0 {
        matches[row].matched |= bit
      } else if !range.areas.contains(detections[row].box.area) {
        matches[row].ignored |= bit
      }
    }
  }

  /// The ground truth with the largest overlap that is still free; the later one of equals. An ignored one is taken
  /// only where no other fits, and a crowd any number of times.
  private func bestMatch(
    _ row: Int, atLeast threshold: Double, ordered: [Int], ignored: [Bool], taken: [Bool]
  ) -> Int? {
    var largest = min(threshold, 1 - 1e-10)
    var best: Int?
    for candidate in ordered where !taken[candidate] || groundTruths[candidate].isCrowd {
      if let best, !ignored[best], ignored[candidate] { break }
      let overlap = overlaps[row * groundTruths.count + candidate]
      if overlap < largest { continue }
      (largest, best) = (overlap, candidate)
    }
    return best
  }
}

/// The positions of the values from the largest to the smallest; equal ones keep their order.
func stableOrder(byDescending values: [Double]) -> [Int] {
  values.indices.sorted { values[$0] != values[$1] ? values[$0] > values[$1] : $0 < $1 }
}
