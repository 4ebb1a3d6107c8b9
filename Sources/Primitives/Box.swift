/// An axis-aligned box in pixels: `x1, y1` the upper left corner, `x2, y2` the lower right one, both on the
/// continuous grid (a box around the whole of a W × H image is `0, 0, W, H`; there is no "+1" anywhere).
public struct Box: Hashable, BitwiseCopyable, Sendable {
  public var x1: Float
  public var y1: Float
  public var x2: Float
  public var y2: Float

  public init(_ x1: Float, _ y1: Float, _ x2: Float, _ y2: Float) {
    (self.x1, self.y1, self.x2, self.y2) = (x1, y1, x2, y2)
  }

  public var width: Float { x2 - x1 }
  public var height: Float { y2 - y1 }
  public var area: Float { width * height }
  public var isFinite: Bool { x1.isFinite && y1.isFinite && x2.isFinite && y2.isFinite }

  /// Both axes multiplied by their factor.
  public func scaled(x: Float, y: Float) -> Box { Box(x1 * x, y1 * y, x2 * x, y2 * y) }

  /// Coordinates below 0 and beyond the picture moved to its edges; NaN stays, so that a divergence is seen.
  public func clipped(to size: ImageSize) -> Box {
    func clipped(_ value: Float, _ limit: Int) -> Float { value < 0 ? 0 : value > Float(limit) ? Float(limit) : value }
    return Box(
      clipped(x1, size.width), clipped(y1, size.height), clipped(x2, size.width), clipped(y2, size.height))
  }
}

/// The size of a picture or a map, in pixels or cells.
public struct ImageSize: Hashable, Sendable {
  public var height: Int
  public var width: Int

  public init(height: Int, width: Int) { (self.height, self.width) = (height, width) }
}
