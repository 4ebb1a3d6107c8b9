import Primitives

// Only sums, products, quotients and square roots, which IEEE 754 rounds the same way everywhere, and no functions of the
// C library, which differ in the last bit: the pictures are the same on every machine.

package typealias Point = SIMD2<Double>

/// The classes of the shapes data set. The identifiers have gaps and are out of order on purpose: so are COCO's, and
/// code that takes them for labels must fail here.
package enum ShapeKind: Int, CaseIterable {
  case circle, rectangle, triangle, star, ring

  var categoryID: Int { [7, 3, 18, 1, 44][rawValue] }

  /// The corners in the unit square -1 … 1; empty for the round ones.
  private var corners: [Point] {
    switch self {
    case .circle, .ring: []
    case .rectangle: [Point(-1, -1), Point(1, -1), Point(1, 1), Point(-1, 1)]
    case .triangle: [Point(0, -1), Point(1, 1), Point(-1, 1)]
    case .star: Self.starCorners
    }
  }

  /// Five points on the unit circle, from the top, and five at 0.45 of it, between them.
  private static let starCorners: [Point] = {
    let outer = [
      Point(0, -1), Point(0.951057, -0.309017), Point(0.587785, 0.809017), Point(-0.587785, 0.809017),
      Point(-0.951057, -0.309017),
    ]
    return outer.indices.flatMap { [outer[$0], -0.45 * outer[($0 + 3) % 5]] }
  }()

  /// A ring's hole has 0.6 of its radius.
  private static let holeRadius = 0.6

  package func contains(_ point: Point) -> Bool {
    switch self {
    case .circle: (point * point).sum() <= 1
    case .ring: (Self.holeRadius * Self.holeRadius...1).contains((point * point).sum())
    case .rectangle: abs(point.x) <= 1 && abs(point.y) <= 1
    case .triangle: point.y <= 1 && 2 * abs(point.x) <= point.y + 1
    case .star: Self.isInside(point, Self.starCorners)
    }
  }

  /// The even-odd rule.
  private static func isInside(_ point: Point, _ corners: [Point]) -> Bool {
    var inside = false
    var previous = corners[corners.count - 1]
    for corner in corners {
      if (corner.y > point.y) != (previous.y > point.y) {
        let slope = (previous.x - corner.x) / (previous.y - corner.y)
        if point.x < corner.x + slope * (point.y - corner.y) { inside.toggle() }
      }
      previous = corner
    }
    return inside
  }

  /// The tight box around the shape after a linear map (given by what becomes of the two axes), around the origin.
  func extent(_ xAxis: Point, _ yAxis: Point) -> (lower: Point, upper: Point) {
    guard !corners.isEmpty else {
      let half = (xAxis * xAxis + yAxis * yAxis).squareRoot()
      return (-half, half)
    }
    let mapped = corners.map { $0.x * xAxis + $0.y * yAxis }
    return mapped.reduce((mapped[0], mapped[0])) { (pointwiseMin($0.0, $1), pointwiseMax($0.1, $1)) }
  }
}

/// A shape in a picture: stretched, turned and moved.
package struct PlacedShape {
  let kind: ShapeKind
  let center: Point
  /// Half of the width and the height before the turn, in pixels.
  let half: Point
  /// Cosine and sine of the turn.
  let direction: Point

  package init(kind: ShapeKind, center: Point, half: Point, direction: Point) {
    (self.kind, self.center, self.half, self.direction) = (kind, center, half, direction)
  }

  /// The point in the coordinates of the unit shape.
  package func local(_ point: Point) -> Point {
    let d = point - center
    return Point(d.x * direction.x + d.y * direction.y, d.y * direction.x - d.x * direction.y) / half
  }

  package var bounds: Bounds {
    let extent = kind.extent(direction * half.x, Point(-direction.y, direction.x) * half.y)
    return Bounds(lower: center + extent.lower, upper: center + extent.upper)
  }
}

/// A box in pixels, in Double.
package struct Bounds {
  package var lower: Point
  package var upper: Point

  var area: Double { max(upper.x - lower.x, 0) * max(upper.y - lower.y, 0) }

  func intersection(_ other: Bounds) -> Bounds {
    Bounds(lower: pointwiseMax(lower, other.lower), upper: pointwiseMin(upper, other.upper))
  }

  func union(_ other: Bounds) -> Bounds {
    Bounds(lower: pointwiseMin(lower, other.lower), upper: pointwiseMax(upper, other.upper))
  }

  /// The part of the smaller box that lies in the other one.
  func overlap(_ other: Bounds) -> Double { intersection(other).area / min(area, other.area) }

  init(lower: Point, upper: Point) { (self.lower, self.upper) = (lower, upper) }

  init(_ size: ImageSize) { self.init(lower: .zero, upper: Point(Double(size.width), Double(size.height))) }
}

extension KeyedRandom {
  package mutating func between(_ lower: Double, _ upper: Double) -> Double {
    lower + (upper - lower) * Double(uniform())
  }

  mutating func chance(_ probability: Double) -> Bool { Double(uniform()) < probability }

  /// Cosine and sine of a turn of up to `limit` (1 is 45°) to either side, and of any number of quarters.
  package mutating func direction(limit: Double) -> Point {
    let t = between(-0.41421356, 0.41421356) * limit
    let (cosine, sine) = ((1 - t * t) / (1 + t * t), 2 * t / (1 + t * t))
    return [Point(cosine, sine), Point(-sine, cosine), Point(-cosine, -sine), Point(sine, -cosine)][below(4)]
  }
}
