import Primitives

/// One picture of the shapes data set, with what there is to find in it.
package struct ShapesScene {
  /// What is written for an object, or for a crowd.
  struct Annotation {
    let kind: ShapeKind
    /// Around the whole shape, also where another one hides it, but not beyond the picture.
    let bounds: Bounds
    /// Visible pixels; of a crowd, the pixels of its region.
    let area: Int
    let isCrowd: Bool
  }

  package let size: ImageSize
  private(set) var annotations: [Annotation] = []
  private var canvas: ShapesCanvas
  private var random: KeyedRandom
  private let noise: ValueNoise
  /// The two colours of the background, which no object may be too close to.
  private let backgroundColors: (Color, Color)
  private var occupied: [Bounds] = []

  /// RGB, height × width × 3.
  package var pixels: [UInt8] { canvas.pixels }

  /// The picture is a function of its key alone.
  package init(random key: KeyedRandom) {
    random = key
    size = ImageSize(height: 144 + random.below(81), width: 144 + random.below(81))
    canvas = ShapesCanvas(size: size)
    noise = ValueNoise(cell: random.between(10, 50), random: &random)
    let base = Self.color(&random, 30, 225)
    backgroundColors = (base, base + Self.color(&random, -60, 60))
    paintBackground()
    let what = random.uniform()
    if what < 0.05 { return }
    if what < 0.11 { addCrowd() }
    addObjects(1 + random.below(8))
  }

  private static func color(_ random: inout KeyedRandom, _ lower: Double, _ upper: Double) -> Color {
    Color(
      Float(random.between(lower, upper)), Float(random.between(lower, upper)), Float(random.between(lower, upper)))
  }

  // MARK: Background

  /// Noise, a gradient or stripes between two similar colours, grain, and things that are no objects.
  private mutating func paintBackground() {
    let (first, second) = backgroundColors
    let noise = noise
    let extent = Double(max(size.height, size.width))
    let axis = random.direction(limit: 1) / (random.chance(0.5) ? extent : random.between(8, 30))
    let stripes = random.between(0, 0.7)
    var grain = random
    // The types are for Swift 6.0, which finds them too late by itself.
    canvas.fill { (point: Point) -> Color in
      let position: Double = (point * axis).sum()
      let wave: Double = abs(position - 2 * (position / 2).rounded())
      let mix: Double = noise(point) * (1 - stripes) + wave * stripes
      let color: Color = first + (second - first) * Float(mix)
      return color + Float(Int(grain.next() >> 60) - 8)
    }
    random = grain
    for _ in 0..<random.below(4) { paintBlob() }
    for _ in 0..<random.below(5) { paintLine() }
  }

  private mutating func point() -> Point {
    Point(random.between(0, Double(size.width)), random.between(0, Double(size.height)))
  }

  /// A spot without an edge.
  private mutating func paintBlob() {
    let center = point()
    let radius = random.between(10, 70)
    let color = Self.color(&random, 0, 255)
    let strength = random.between(0.2, 0.5)
    canvas.blend(Bounds(lower: center - radius, upper: center + radius)) { _ in
      color
    } coverage: { point in
      let d = (point - center) / radius
      let rest = max(0, 1 - (d * d).sum())
      return strength * rest * rest
    }
  }

  /// A thin straight line.
  private mutating func paintLine() {
    let (start, end) = (point(), point())
    let color = Self.color(&random, 0, 255)
    let halfWidth = random.between(0.5, 1.5)
    let along = end - start
    let length = (along * along).sum().squareRoot() + 1e-3
    let area = Bounds(lower: pointwiseMin(start, end) - 2, upper: pointwiseMax(start, end) + 2)
    canvas.blend(area) { _ in
      color
    } coverage: { point in
      let d = point - start
      let distance = abs(d.x * along.y - d.y * along.x) / length
      return min(max(halfWidth + 0.5 - distance, 0), 1)
    }
  }

  // MARK: Objects

  /// The lengths of objects: as many between 14 and 20 pixels as between 110 and 150.
  private static let lengths: [Double] = [14, 20, 28, 40, 56, 80, 110, 150]

  private mutating func addObjects(_ count: Int) {
    var painted: [(shape: PlacedShape, owner: Int, pixels: Int)] = []
    for owner in 0..<count {
      guard let shape = placedShape() else { continue }
      occupied.append(shape.bounds)
      painted.append((shape, owner, paint(shape, owner: owner)))
    }
    for (shape, owner, pixels) in painted {
      let visible = canvas.visibleCount(owner: owner)
      guard Double(visible) >= 0.3 * Double(pixels) else { continue }
      annotations.append(
        Annotation(
          kind: shape.kind, bounds: shape.bounds.intersection(Bounds(size)), area: visible, isCrowd: false))
    }
  }

  /// A shape where it hides little of the others (now and then more), or nil if there is no room for it.
  private mutating func placedShape() -> PlacedShape? {
    let kind = ShapeKind.allCases[random.below(ShapeKind.allCases.count)]
    let index = random.below(Self.lengths.count - 1)
    let room = 0.85 * Double(min(size.height, size.width))
    let length = min(random.between(Self.lengths[index], Self.lengths[index + 1]), room)
    let slender = random.chance(0.5) ? random.between(1, 1.3) : random.between(1.5, 3)
    let half = Point(length, max(length / slender, min(length, 12))) / 2
    let direction = random.direction(limit: random.chance(0.5) ? 0.15 : 1)
    let margin = random.chance(0.15) ? -0.3 * length : 0.5 * length
    let allowed = random.chance(0.3) ? 0.4 : 0.08
    for _ in 0..<30 {
      let center = Point(
        random.between(margin, Double(size.width) - margin), random.between(margin, Double(size.height) - margin))
      let shape = PlacedShape(kind: kind, center: center, half: half, direction: direction)
      if fits(shape.bounds, allowed) { return shape }
    }
    return nil
  }

  /// Whether most of the box is in the picture and little of it on others.
  private func fits(_ bounds: Bounds, _ allowed: Double) -> Bool {
    bounds.intersection(Bounds(size)).area >= 0.6 * bounds.area && occupied.allSatisfy { bounds.overlap($0) <= allowed }
  }

  /// Paints with a colour that differs from the background's, lit from one side.
  private mutating func paint(_ shape: PlacedShape, owner: Int) -> Int {
    let color = contrastingColor()
    let light = random.direction(limit: 1) * random.between(0, 0.25) / max(shape.half.x, shape.half.y)
    let noise = noise
    let texture = random.between(0, 0.25)
    return canvas.paint(shape, owner: owner) { point in
      color * Float(1 + ((point - shape.center) * light).sum() + texture * (noise(point * 3) - 0.5))
    }
  }

  private mutating func contrastingColor() -> Color {
    while true {
      let color = Self.color(&random, 10, 245)
      if min(distance(color, backgroundColors.0), distance(color, backgroundColors.1)) >= 150 { return color }
    }
  }

  private func distance(_ a: Color, _ b: Color) -> Float { abs(a.x - b.x) + abs(a.y - b.y) + abs(a.z - b.z) }

  // MARK: Crowd

  /// Many small objects of one class close together, annotated as one region.
  private mutating func addCrowd() {
    let kind = ShapeKind.allCases[random.below(ShapeKind.allCases.count)]
    let spread = Point(random.between(20, 36), random.between(20, 36))
    let center = Point(Double(size.width), Double(size.height)) * random.between(0.35, 0.65)
    var region: Bounds?
    for _ in 0..<15 + random.below(15) {
      let offset = Point(random.between(-1, 1), random.between(-1, 1)) * spread
      let half = Point(random.between(5, 9), random.between(5, 9))
      let shape = PlacedShape(kind: kind, center: center + offset, half: half, direction: random.direction(limit: 1))
      _ = paint(shape, owner: ShapesCanvas.background)
      region = region?.union(shape.bounds) ?? shape.bounds
    }
    let whole = region!.intersection(Bounds(size))
    let bounds = Bounds(lower: whole.lower.rounded(.down), upper: whole.upper.rounded(.up))
    occupied.append(bounds)
    annotations.append(Annotation(kind: kind, bounds: bounds, area: Int(bounds.area), isCrowd: true))
  }
}
