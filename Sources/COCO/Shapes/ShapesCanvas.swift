import Primitives

/// Red, green and blue, 0 … 255.
typealias Color = SIMD3<Float>

/// A picture being painted, and which object each pixel belongs to.
struct ShapesCanvas {
  let size: ImageSize
  private var colors: [Color]
  /// The object that is on top; `background` where there is none.
  private(set) var owners: [Int]
  static let background = -1

  init(size: ImageSize) {
    self.size = size
    colors = Array(repeating: .zero, count: size.height * size.width)
    owners = Array(repeating: Self.background, count: size.height * size.width)
  }

  /// RGB, height × width × 3.
  var pixels: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(colors.count * 3)
    for color in colors {
      let rounded = color.clamped(lowerBound: .zero, upperBound: Color(repeating: 255)).rounded(.toNearestOrEven)
      bytes.append(UInt8(rounded.x))
      bytes.append(UInt8(rounded.y))
      bytes.append(UInt8(rounded.z))
    }
    return bytes
  }

  mutating func fill(_ color: (Point) -> Color) {
    for y in 0..<size.height {
      for x in 0..<size.width { colors[y * size.width + x] = color(Point(Double(x) + 0.5, Double(y) + 0.5)) }
    }
  }

  /// Lays a colour over the pixels of an area. `coverage` is 0 … 1, at pixel centres.
  mutating func blend(_ area: Bounds, _ color: (Point) -> Color, coverage: (Point) -> Double) {
    forEachPixel(area) { canvas, index, center in
      let coverage = Float(coverage(center))
      guard coverage > 0 else { return }
      canvas.colors[index] += (color(center) - canvas.colors[index]) * coverage
    }
  }

  /// Paints a shape with smooth edges (4 × 4 samples a pixel).
  /// - Returns: the number of pixels of which the shape covers a half, in front or not.
  mutating func paint(_ shape: PlacedShape, owner: Int, _ color: (Point) -> Color) -> Int {
    var count = 0
    forEachPixel(shape.bounds) { canvas, index, center in
      let samples = Self.sampleCount(shape, center)
      guard samples > 0 else { return }
      canvas.colors[index] += (color(center) - canvas.colors[index]) * (Float(samples) / 16)
      guard samples >= 8 else { return }
      canvas.owners[index] = owner
      count += 1
    }
    return count
  }

  private static func sampleCount(_ shape: PlacedShape, _ center: Point) -> Int {
    var count = 0
    for row in 0..<4 {
      for column in 0..<4 {
        let offset = Point(Double(column) - 1.5, Double(row) - 1.5) / 4
        if shape.kind.contains(shape.local(center + offset)) { count += 1 }
      }
    }
    return count
  }

  private mutating func forEachPixel(_ area: Bounds, _ body: (inout ShapesCanvas, Int, Point) -> Void) {
    let area = area.intersection(Bounds(size))
    guard area.area > 0 else { return }
    for y in Int(area.lower.y)..<Int(area.upper.y.rounded(.up)) {
      for x in Int(area.lower.x)..<Int(area.upper.x.rounded(.up)) {
        body(&self, y * size.width + x, Point(Double(x) + 0.5, Double(y) + 0.5))
      }
    }
  }

  /// The number of pixels where an object is on top.
  func visibleCount(owner: Int) -> Int { owners.count { $0 == owner } }
}

/// Smooth noise in 0 … 1: random numbers on a grid, blended in between, in two octaves.
struct ValueNoise {
  private let cell: Double
  private let values: [Double]
  private static let side = 64

  init(cell: Double, random: inout KeyedRandom) {
    self.cell = cell
    values = (0..<Self.side * Self.side).map { _ in random.between(0, 1) }
  }

  func callAsFunction(_ point: Point) -> Double { (2 * octave(point / cell) + octave(point * 2.5 / cell)) / 3 }

  private func octave(_ point: Point) -> Double {
    let corner = point.rounded(.down)
    let fraction = point - corner
    let weight = fraction * fraction * (3 - 2 * fraction)
    let (x, y) = (Int(corner.x), Int(corner.y))
    let upper = value(x, y) + (value(x + 1, y) - value(x, y)) * weight.x
    let lower = value(x, y + 1) + (value(x + 1, y + 1) - value(x, y + 1)) * weight.x
    return upper + (lower - upper) * weight.y
  }

  private func value(_ x: Int, _ y: Int) -> Double { values[(y & (Self.side - 1)) * Self.side + (x & (Self.side - 1))] }
}
