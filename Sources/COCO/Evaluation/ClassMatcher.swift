/// How the detections of one class in one picture are assigned to its objects (pycocotools' `computeIoU` and
/// `evaluateImg`): greedily in the order of scores, at every IoU threshold and for every size range. The arrays inside
/// are kept from one class to the next.
struct ClassMatcher {
  private let ranges: [AreaRange]
  private let thresholds: [Double]
  private var groundTruths: ArraySlice<EvaluationGroundTruth> = []
  /// One row a detection, one column a ground truth.
  private var overlaps: [Double] = []
  /// The largest of each row.
  private var largestOverlaps: [Double] = []
  /// For the size range at hand: which ground truths are not looked for, and the columns with those at the end.
  private var ignored: [Bool] = []
  private var ordered: [Int] = []
  private var taken: [Bool] = []

  init(_ parameters: EvaluationParameters) { (ranges, thresholds) = (parameters.ranges, parameters.overlaps) }

  /// - Parameter detections: in descending order of scores, no more than take part.
  mutating func matches(
    label: Int, groundTruths: ArraySlice<EvaluationGroundTruth>, detections: [EvaluationDetection]
  ) -> ClassMatches {
    var result = ClassMatches(
      label: label,
      detections: detections.map { DetectionMatch(score: $0.score, ignored: bitsOfOtherRanges(area: $0.box.area)) })
    guard !groundTruths.isEmpty else { return result }
    self.groundTruths = groundTruths
    computeOverlaps(detections)
    for (range, areaRange) in ranges.enumerated() {
      order(for: areaRange)
      result.groundTruthCounts[range] = Int32(ignored.count { !$0 })
      for threshold in thresholds.indices { match(range, threshold, into: &result.detections) }
    }
    return result
  }

  /// What each detection finds among all sizes at the first threshold: places in `groundTruths`, nil for nothing.
  mutating func partners(
    groundTruths: ArraySlice<EvaluationGroundTruth>, detections: [EvaluationDetection]
  ) -> [Int?] {
    self.groundTruths = groundTruths
    computeOverlaps(detections)
    order(for: ranges[0])
    return detections.indices.map { nextMatch($0, 0) }
  }

  private mutating func computeOverlaps(_ detections: [EvaluationDetection]) {
    overlaps.removeAll(keepingCapacity: true)
    largestOverlaps.removeAll(keepingCapacity: true)
    for detection in detections {
      var largest = 0.0
      for groundTruth in groundTruths {
        let overlap = detection.box.overlap(with: groundTruth.box, isCrowd: groundTruth.isCrowd)
        overlaps.append(overlap)
        largest = max(largest, overlap)
      }
      largestOverlaps.append(largest)
    }
  }

  private mutating func order(for range: AreaRange) {
    ignored.removeAll(keepingCapacity: true)
    ordered.removeAll(keepingCapacity: true)
    for groundTruth in groundTruths {
      ignored.append(groundTruth.isCrowd || !range.areas.contains(groundTruth.area))
    }
    for column in ignored.indices where !ignored[column] { ordered.append(column) }
    for column in ignored.indices where ignored[column] { ordered.append(column) }
  }

  private mutating func match(_ range: Int, _ threshold: Int, into matches: inout [DetectionMatch]) {
    let bit = range * thresholds.count + threshold
    for row in matches.indices {
      guard let found = nextMatch(row, threshold) else { continue }
      if ignored[found] { matches[row].ignored.insert(bit) }
      // pycocotools records a match by the annotation's id and reads 0 as "none".
      if groundTruths[groundTruths.startIndex + found].annotationID == 0 { continue }
      matches[row].matched.insert(bit)
      if !ignored[found] { matches[row].ignored.remove(bit) }
    }
  }

  /// Takes the best match of a detection, after those before it. The first one frees all ground truths.
  @inline(__always)
  private mutating func nextMatch(_ row: Int, _ threshold: Int) -> Int? {
    if row == 0 {
      taken.removeAll(keepingCapacity: true)
      for _ in ordered { taken.append(false) }
    }
    let least = min(thresholds[threshold], 1 - 1e-10)
    guard largestOverlaps[row] >= least, let found = bestMatch(row, atLeast: least) else { return nil }
    taken[found] = true
    return found
  }

  /// The ground truth with the largest overlap that is still free; the later one of equals. An ignored one is taken
  /// only where no other fits, and a crowd any number of times.
  private func bestMatch(_ row: Int, atLeast least: Double) -> Int? {
    var largest = least
    var best: Int?
    for candidate in ordered where !taken[candidate] || groundTruths[groundTruths.startIndex + candidate].isCrowd {
      if let best, !ignored[best], ignored[candidate] { break }
      let overlap = overlaps[row * ordered.count + candidate]
      if overlap < largest { continue }
      (largest, best) = (overlap, candidate)
    }
    return best
  }
}

extension ClassMatcher {
  /// The bits of all ranges that an area does not belong to: what is not matched there is ignored.
  private func bitsOfOtherRanges(area: Double) -> MatchBits {
    var bits = MatchBits()
    for range in ranges.indices where !ranges[range].areas.contains(area) {
      for threshold in thresholds.indices { bits.insert(range * thresholds.count + threshold) }
    }
    return bits
  }
}

/// The positions of the values from the largest to the smallest; equal ones keep their order.
func stableOrder(byDescending values: [Double]) -> [Int] {
  var order = values.enumerated().map { (value: $1, position: $0) }
  order.sort { $0.value != $1.value ? $0.value > $1.value : $0.position < $1.position }
  return order.map(\.position)
}
