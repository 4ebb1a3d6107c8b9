import Primitives

/// `assigner`, type `MaxIoUAssigner`.
public struct MaxIoUAssignerConfiguration: Equatable, Sendable {
  /// A largest IoU in [low, high).
  public struct Range: Equatable, Sendable {
    public var low: Float
    public var high: Float

    public init(low: Float = 0, high: Float) { (self.low, self.high) = (low, high) }
  }
  public var posIoUThr: Float = 0.7
  /// `neg_iou_thr`: a number is `(0, number)`.
  public var negIoUThr = Range(high: 0.3)
  public var minPosIoU: Float = 0
  public var gtMaxAssignAll = true
  public var ignoreIoFThr: Float = -1
  public var ignoreWrtCandidates = true
  public var matchLowQuality = true

  public init() {}
}

/// Assigns boxes to ground truths by IoU; mmdetection's `MaxIoUAssigner`:
///
/// 1. every box takes no part (-1);
/// 2. a largest IoU in [`neg_iou_thr.low`, `neg_iou_thr.high`) makes it background;
/// 3. at least `pos_iou_thr`: it stands for that ground truth, the first one where several are equal;
/// 4. with `match_low_quality`, each ground truth whose best IoU reaches `min_pos_iou` takes the boxes of that IoU
///    (or the first of them without `gt_max_assign_all`), even from a better match; later ground truths win.
public struct MaxIoUAssigner: Assigner {
  private let configuration: MaxIoUAssignerConfiguration

  public init(_ configuration: MaxIoUAssignerConfiguration) { self.configuration = configuration }

  /// `gtBoxesIgnore` matter if `ignore_iof_thr` is above 0.
  public func assign(
    _ boxes: [Box], gtBoxes: [Box], gtLabels: [Int]?, gtBoxesIgnore: [Box]
  ) -> AssignResult {
    guard !boxes.isEmpty, !gtBoxes.isEmpty else {
      return AssignResult(
        gtInds: [Int32](repeating: 0, count: boxes.count), maxOverlaps: [Float](repeating: 0, count: boxes.count),
        labels: gtLabels.map { _ in [Int](repeating: -1, count: boxes.count) })
    }
    let matches = Matches(boxes, gtBoxes.map { SizedBox($0) }, isIgnored: ignoredFlags(boxes, gtBoxesIgnore))
    var gtInds = matches.maxOverlaps.indices.map { i in
      assignment(overlap: matches.maxOverlaps[i], nearest: matches.nearest[i])
    }
    if configuration.matchLowQuality { assignLowQuality(boxes, matches, &gtInds) }
    return AssignResult(
      gtInds: gtInds, maxOverlaps: matches.maxOverlaps,
      labels: gtLabels.map { labels in gtInds.map { $0 > 0 ? labels[Int($0) - 1] : -1 } })
  }

  /// Steps 1 to 3.
  private func assignment(overlap: Float, nearest: Int32) -> Int32 {
    if overlap >= configuration.posIoUThr { return nearest + 1 }
    return overlap >= configuration.negIoUThr.low && overlap >= 0 && overlap < configuration.negIoUThr.high ? 0 : -1
  }

  /// Step 4. A box with the best IoU of a ground truth has at least that as its own largest one, which leaves few
  /// boxes to look at a second time.
  private func assignLowQuality(_ boxes: [Box], _ matches: Matches, _ gtInds: inout [Int32]) {
    let wanted = matches.gts.indices.filter { matches.gtMaxOverlaps[$0] >= configuration.minPosIoU }
    guard configuration.gtMaxAssignAll else {
      for k in wanted { gtInds[matches.gtNearest[k]] = Int32(k + 1) }
      return
    }
    guard let lowest = wanted.map({ matches.gtMaxOverlaps[$0] }).min() else { return }
    for i in boxes.indices where matches.maxOverlaps[i] >= lowest {
      let box = SizedBox(boxes[i])
      if let last = wanted.last(where: { BoxOverlaps.overlap(matches.gts[$0], box) == matches.gtMaxOverlaps[$0] }) {
        gtInds[i] = Int32(last + 1)
      }
    }
  }

  /// Boxes of which more than `ignore_iof_thr` (as a share of their own area, or of the region's) is ignored; nil: none.
  private func ignoredFlags(_ boxes: [Box], _ regions: [Box]) -> [Bool]? {
    let threshold = configuration.ignoreIoFThr
    guard threshold > 0, !regions.isEmpty else { return nil }
    return boxes.map { box in
      regions.contains { region in
        let (first, second) = configuration.ignoreWrtCandidates ? (box, region) : (region, box)
        return BoxOverlaps.overlap(first, second, mode: .iof) > threshold
      }
    }
  }
}

/// The largest IoUs seen from both sides, without the matrix between them.
private struct Matches {
  let gts: [SizedBox]
  /// For each box: -1 if ignored.
  private(set) var maxOverlaps: [Float]
  /// For each box: the first ground truth with that IoU.
  private(set) var nearest: [Int32]
  /// For each ground truth: over the boxes that aren't ignored; -1 if all are.
  private(set) var gtMaxOverlaps: [Float]
  /// For each ground truth: the first box with that IoU.
  private(set) var gtNearest: [Int]

  init(_ boxes: [Box], _ gts: [SizedBox], isIgnored: [Bool]?) {
    self.gts = gts
    let first = isIgnored?.firstIndex(of: false) ?? (isIgnored == nil ? 0 : nil)
    maxOverlaps = isIgnored?.map { $0 ? -1 : 0 } ?? [Float](repeating: 0, count: boxes.count)
    nearest = [Int32](repeating: 0, count: boxes.count)
    gtMaxOverlaps = [Float](repeating: first == nil ? -1 : 0, count: gts.count)
    gtNearest = [Int](repeating: first ?? 0, count: gts.count)
    for i in boxes.indices where maxOverlaps[i] == 0 { match(i, SizedBox(boxes[i])) }
  }

  /// Disjoint pairs, nearly all, have IoU 0, with which everything starts.
  private mutating func match(_ i: Int, _ box: SizedBox) {
    var (best, bestGT): (Float, Int32) = (0, 0)
    for k in gts.indices where gts[k].intersects(box) {
      let overlap = BoxOverlaps.overlap(gts[k], box)
      if overlap > best { (best, bestGT) = (overlap, Int32(k)) }
      if overlap > gtMaxOverlaps[k] { (gtMaxOverlaps[k], gtNearest[k]) = (overlap, i) }
    }
    (maxOverlaps[i], nearest[i]) = (best, bestGT)
  }
}
