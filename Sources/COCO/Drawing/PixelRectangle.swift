import Primitives

/// A rectangle of whole pixels.
package struct PixelRectangle: Equatable {
  package var x: Range<Int>
  package var y: Range<Int>

  package init(x: Range<Int>, y: Range<Int>) { (self.x, self.y) = (x, y) }

  /// A box's pixels, to the nearest, within the picture; not empty where the picture isn't.
  package init(_ box: Box, in size: ImageSize) {
    func range(_ one: Float, _ other: Float, _ length: Int) -> Range<Int> {
      func pixel(_ coordinate: Float) -> Int {
        coordinate.isNaN ? 0 : Int(min(max(coordinate, 0), Float(length)).rounded())
      }
      let low = min(pixel(one), pixel(other))
      let high = max(pixel(one), pixel(other))
      return high > low ? low..<high : min(low, max(0, length - 1))..<min(low + 1, length)
    }
    self.init(x: range(box.x1, box.x2, size.width), y: range(box.y1, box.y2, size.height))
  }

  package var width: Int { x.count }
  package var height: Int { y.count }
  package var area: Int { width * height }

  /// The pixels that both have.
  package func overlap(_ other: PixelRectangle) -> Int {
    let width = min(x.upperBound, other.x.upperBound) - max(x.lowerBound, other.x.lowerBound)
    let height = min(y.upperBound, other.y.upperBound) - max(y.lowerBound, other.y.lowerBound)
    return max(0, width) * max(0, height)
  }

  /// Smaller by so many pixels on each side, or larger where the number is negative; empty where nothing is left.
  package func inset(by margin: Int) -> PixelRectangle {
    func inner(_ range: Range<Int>) -> Range<Int> {
      let low = range.lowerBound + margin
      return low..<max(low, range.upperBound - margin)
    }
    return PixelRectangle(x: inner(x), y: inner(y))
  }

  /// Whether no edge is further away than so many pixels.
  package func isWithin(_ distance: Int, of other: PixelRectangle) -> Bool {
    abs(x.lowerBound - other.x.lowerBound) <= distance && abs(x.upperBound - other.x.upperBound) <= distance
      && abs(y.lowerBound - other.y.lowerBound) <= distance && abs(y.upperBound - other.y.upperBound) <= distance
  }
}
