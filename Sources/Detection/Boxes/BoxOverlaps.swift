import Primitives

/// Intersection over union and its relatives, with mmdetection's `bbox_overlaps` in float32, operation by operation:
/// the assigner compares these numbers with `==`, so their last bits matter.
public enum BoxOverlaps {
  /// What the intersection is compared with.
  public enum Mode: Sendable {
    /// Intersection over union.
    case iou
    /// Intersection over the first box's own area ("foreground").
    case iof
    /// Generalised IoU (Rezatofighi et al., 2019): IoU − (enclosing area − union) / enclosing area.
    case giou
  }

  /// Areas of unions and of enclosing boxes are at least this.
  public static let defaultEps: Float = 1e-6

  /// The overlap of two boxes.
  public static func overlap(_ a: Box, _ b: Box, mode: Mode = .iou, eps: Float = defaultEps) -> Float {
    let intersection = intersection(a, b)
    let union = max(mode == .iof ? a.area : a.area + b.area - intersection, eps)
    let ratio = intersection / union
    guard mode == .giou else { return ratio }
    let width = max(max(a.x2, b.x2) - min(a.x1, b.x1), 0)
    let height = max(max(a.y2, b.y2) - min(a.y1, b.y1), 0)
    let enclosing = max(width * height, eps)
    return ratio - (enclosing - union) / enclosing
  }

  /// The overlap of each box of `a` with the one at the same place in `b`.
  public static func aligned(_ a: [Box], _ b: [Box], mode: Mode = .iou, eps: Float = defaultEps) -> [Float] {
    precondition(a.count == b.count, "\(a.count) boxes can't be aligned with \(b.count)")
    return zip(a, b).map { overlap($0, $1, mode: mode, eps: eps) }
  }

  /// Row-major `[a, b]`: the overlap of each box of `a` with each of `b`.
  public static func pairwise(_ a: [Box], _ b: [Box], mode: Mode = .iou, eps: Float = defaultEps) -> [Float] {
    a.flatMap { first in b.map { overlap(first, $0, mode: mode, eps: eps) } }
  }

  private static func intersection(_ a: Box, _ b: Box) -> Float {
    let width = max(min(a.x2, b.x2) - max(a.x1, b.x1), 0)
    let height = max(min(a.y2, b.y2) - max(a.y1, b.y1), 0)
    return width * height
  }
}
