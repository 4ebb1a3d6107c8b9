import Primitives

/// The anchor of an image that a box overlaps most.
public struct BestAnchor: Equatable, Sendable {
  /// Its IoU.
  public let overlap: Float
  public let level: Int
  /// Which of the anchors of its cell.
  public let base: Int
}

extension AnchorGenerator {
  /// The largest IoU that a box has with any anchor that may take part, without looking at all of them: of the
  /// anchors of one shape that is the one whose centre lies nearest, along each axis by itself.
  /// - Parameters:
  ///   - box: in pixels of the network's input.
  ///   - imgShape: the image's size, beyond which anchors stick out by at most `allowedBorder` pixels; below 0 they
  ///     may by any length.
  ///   - padShape: the padded size, which the cells reach.
  ///   - allowedBorder: how many pixels anchors may stick out of the image by; below 0: any number.
  /// - Returns: the first of equal ones; nil where no anchor may take part.
  public func bestAnchor(
    for box: Box, imgShape: ImageSize, padShape: ImageSize, allowedBorder: Float = -1
  ) -> BestAnchor? {
    var best: BestAnchor?
    for (level, anchors) in baseAnchors.enumerated() {
      let stride = stride(of: level)
      for (base, anchor) in anchors.enumerated() {
        let x = AnchorAxis(
          low: anchor.x1, high: anchor.x2, stride: stride.width, size: imgShape.width, padded: padShape.width,
          border: allowedBorder)
        let y = AnchorAxis(
          low: anchor.y1, high: anchor.y2, stride: stride.height, size: imgShape.height, padded: padShape.height,
          border: allowedBorder)
        guard let (x1, x2) = x.nearest(to: box.x1, box.x2), let (y1, y2) = y.nearest(to: box.y1, box.y2) else {
          continue
        }
        let overlap = BoxOverlaps.overlap(box, Box(x1, y1, x2, y2))
        if overlap > best?.overlap ?? -1 { best = BestAnchor(overlap: overlap, level: level, base: base) }
      }
    }
    return best
  }
}

/// The anchors of one shape along one axis of the grid.
private struct AnchorAxis {
  let low: Float
  let high: Float
  let stride: Int
  let size: Int
  let padded: Int
  let border: Float

  /// The ends of the one that shares the longest stretch with an interval.
  func nearest(to start: Float, _ end: Float) -> (low: Float, high: Float)? {
    var (first, last) = (0, (padded + stride - 1) / stride - 1)
    if border >= 0 {
      // A cell more at both ends, as the quotients are rounded; `isInside` decides.
      first = max(first, cell((-border - low).rounded(.down)) - 1)
      last = min(last, cell((Float(size) + border - high).rounded(.up)) + 1)
    }
    guard first <= last else { return nil }
    let middle = cell(((start + end) / 2 - (low + high) / 2).rounded())
    var best: (low: Float, high: Float)?
    var longest = -Float.infinity
    for cell in max(first, min(middle, last) - 2)...min(last, max(middle, first) + 2) {
      let shift = Float(cell * stride)
      let anchor = (low: low + shift, high: high + shift)
      let shared = min(end, anchor.high) - max(start, anchor.low)
      if isInside(anchor), shared > longest { (best, longest) = (anchor, shared) }
    }
    return best
  }

  private func cell(_ position: Float) -> Int { Int((position / Float(stride)).rounded(.down)) }

  private func isInside(_ anchor: (low: Float, high: Float)) -> Bool {
    border < 0 || anchor.low >= -border && anchor.high < Float(size) + border
  }
}
