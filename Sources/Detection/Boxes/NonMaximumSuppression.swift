import Primitives

/// `nms` or `soft_nms`.
public struct NMSConfiguration: Equatable, Sendable {
  public enum Kind: String, Sendable, CaseIterable { case nms, softNMS = "soft_nms" }
  public enum SoftMethod: String, Sendable, CaseIterable { case naive, linear, gaussian }
  public var kind = Kind.nms
  public var iouThreshold: Float = 0.7
  public var classAgnostic = false
  /// From this many boxes on, groups are treated one at a time.
  public var splitThr = 10000
  public var softMethod = SoftMethod.linear
  public var sigma: Float = 0.5
  public var minScore: Float = 1e-3

  public init() {}
}

/// Greedy non-maximum suppression as mmcv 1.3's CPU operators do it.
public enum NonMaximumSuppression {
  /// A box that stayed, by its index, with its score (which soft-NMS lowers).
  public struct Kept: Equatable, Sendable {
    public let index: Int
    public let score: Float
  }

  /// Takes the boxes from the best score down and drops those whose IoU with a box taken before is **at least**
  /// `iouThreshold` (mmcv's CUDA operator and torchvision want more than the threshold). An IoU of 0 / 0, between
  /// boxes without area, drops nothing.
  ///
  /// - Parameters:
  ///   - boxes: `[n]`.
  ///   - scores: `[n]`.
  ///   - iouThreshold: the lowest IoU at which a box is dropped.
  ///   - offset: added to widths and heights; 1 for boxes that name their last pixel.
  ///   - limit: ends once so many were taken; they are the first that an unlimited run would give.
  /// - Returns: the indices of the boxes taken, best first; equal scores in their own order.
  public static func nms(
    _ boxes: [Box], scores: [Float], iouThreshold: Float, offset: Float = 0, limit: Int = .max
  ) -> [Int] {
    require(boxes.count == scores.count, "\(scores.count) scores for \(boxes.count) boxes")
    var kept: [Int] = []
    var taken: [SizedBox] = []
    for index in descendingOrder(scores) {
      if kept.count >= limit { break }
      let candidate = SizedBox(boxes[index], offset: offset)
      if taken.contains(where: { $0.suppresses(candidate, iouThreshold, offset) }) { continue }
      kept.append(index)
      taken.append(candidate)
    }
    return kept
  }

  /// Suppression within groups (levels or classes) only. Each group is moved to a place of its own by
  /// group · (largest coordinate + 1), in float32; so with coordinates below 0 neighbouring groups can still touch.
  /// From `split_thr` boxes on, each group is treated by itself, at its place, and the result sorted by the scores
  /// that were given. mmcv's `batched_nms`, but no boxes give no boxes.
  ///
  /// - Parameters:
  ///   - boxes: `[n]`.
  ///   - scores: `[n]`.
  ///   - groups: the group of each box, `[n]`.
  ///   - configuration: how boxes are suppressed; with `class_agnostic` no group is moved.
  ///   - limit: the number of boxes wanted.
  /// - Returns: best first (soft-NMS: in the order of its choices).
  public static func batchedNMS(
    _ boxes: [Box], scores: [Float], groups: [Int], configuration: NMSConfiguration, limit: Int = .max
  ) -> [Kept] {
    require(boxes.count == groups.count, "\(groups.count) groups for \(boxes.count) boxes")
    let moved = configuration.classAgnostic ? boxes : apart(boxes, groups)
    if boxes.count < configuration.splitThr {
      return Array(suppress(moved, scores, configuration, limit).prefix(limit))
    }
    let members = Dictionary(grouping: boxes.indices) { groups[$0] }
    let kept = members.values.flatMap { members in
      suppress(members.map { moved[$0] }, members.map { scores[$0] }, configuration, limit).map { members[$0.index] }
    }.sorted()
    return descendingOrder(kept.map { scores[$0] }, limit: limit).map { Kept(index: kept[$0], score: scores[kept[$0]]) }
  }

  private static func apart(_ boxes: [Box], _ groups: [Int]) -> [Box] {
    let step = boxes.reduce(-Float.infinity) { max($0, $1.x1, $1.y1, max($1.x2, $1.y2)) } + 1
    return zip(boxes, groups).map { box, group in
      let shift = Float(group) * step
      return Box(box.x1 + shift, box.y1 + shift, box.x2 + shift, box.y2 + shift)
    }
  }

  private static func suppress(
    _ boxes: [Box], _ scores: [Float], _ configuration: NMSConfiguration, _ limit: Int
  ) -> [Kept] {
    switch configuration.kind {
    case .nms:
      nms(boxes, scores: scores, iouThreshold: configuration.iouThreshold, limit: limit).map {
        Kept(index: $0, score: scores[$0])
      }
    case .softNMS:
      softNMS(boxes, scores: scores, configuration: configuration)
    }
  }
}

extension SizedBox {
  /// Whether the IoU is at least the threshold. For boxes that don't meet it is 0 (or 0 / 0), which only matters to
  /// a threshold of 0.
  @inline(__always)
  fileprivate func suppresses(_ other: SizedBox, _ threshold: Float, _ offset: Float) -> Bool {
    let (width, height) = intersection(other, offset: offset)
    if width <= 0 || height <= 0 { return threshold <= 0 && 0 / (area + other.area) >= threshold }
    return width * height / (area + other.area - width * height) >= threshold
  }
}
