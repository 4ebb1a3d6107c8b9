import Primitives

/// A box with its area, which several overlaps share. Numbers are float32 in mmdetection's order of operations: the
/// assigner compares them with `==`, so their last bits matter.
struct SizedBox: Sendable {
  let box: Box
  let area: Float

  /// - Parameter offset: added to widths and heights; 1 for boxes that name their last pixel (mmcv's `nms`).
  init(_ box: Box, offset: Float = 0) {
    (self.box, area) = (box, (box.width + offset) * (box.height + offset))
  }

  /// The sides of the intersection, before they are cut at 0: negative for boxes that don't meet.
  @inline(__always)
  func intersection(_ other: SizedBox, offset: Float = 0) -> (width: Float, height: Float) {
    let width = min(box.x2, other.box.x2) - max(box.x1, other.box.x1) + offset
    let height = min(box.y2, other.box.y2) - max(box.y1, other.box.y1) + offset
    return (width, height)
  }

  func intersects(_ other: SizedBox) -> Bool {
    box.x2 > other.box.x1 && other.box.x2 > box.x1 && box.y2 > other.box.y1 && other.box.y2 > box.y1
  }
}

/// mmdetection's `bbox_overlaps`, in float32.
public enum BoxOverlaps {
  /// What the intersection is compared with.
  public enum Mode: Sendable {
    /// Intersection over union.
    case iou
    /// Intersection over the first box's own area ("foreground").
    case iof
  }

  /// Unions are at least this.
  public static let defaultEps: Float = 1e-6

  /// The overlap of two boxes, 0 … 1.
  public static func overlap(_ a: Box, _ b: Box, mode: Mode = .iou, eps: Float = defaultEps) -> Float {
    overlap(SizedBox(a), SizedBox(b), mode: mode, eps: eps)
  }

  /// - Parameters:
  ///   - eps: unions are at least this; 0 makes two boxes without area 0 / 0.
  ///   - offset: that of both boxes.
  @inline(__always)
  static func overlap(
    _ a: SizedBox, _ b: SizedBox, mode: Mode = .iou, eps: Float = defaultEps, offset: Float = 0
  ) -> Float {
    let (width, height) = a.intersection(b, offset: offset)
    let intersection = max(width, 0) * max(height, 0)
    let union = mode == .iof ? a.area : a.area + b.area - intersection
    return intersection / (eps > 0 ? max(union, eps) : union)
  }
}
