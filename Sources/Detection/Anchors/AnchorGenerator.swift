import Primitives

/// `anchor_generator`, type `AnchorGenerator`.
public struct AnchorGeneratorConfiguration: Equatable, Sendable {
  /// (width, height) for each level.
  public var strides: [(width: Int, height: Int)] = [4, 8, 16, 32, 64].map { ($0, $0) }
  public var ratios: [Float] = [0.5, 1, 2]
  public var scales: [Float] = [8]
  /// nil: the smaller stride of each level.
  public var baseSizes: [Float]?
  public var scaleMajor = true
  public var centerOffset: Float = 0
  /// Explicit (x, y) centres of the base anchors.
  public var centers: [(x: Float, y: Float)]?
  /// `LegacyAnchorGenerator`, of mmdetection 1: an anchor names its last pixel, and its corners are whole numbers.
  public var isLegacy = false

  public init() {}

  public static func == (a: Self, b: Self) -> Bool {
    a.strides.elementsEqual(b.strides, by: ==) && a.ratios == b.ratios && a.scales == b.scales
      && a.baseSizes == b.baseSizes && a.isLegacy == b.isLegacy && a.scaleMajor == b.scaleMajor
      && a.centerOffset == b.centerOffset
      && (a.centers == nil) == (b.centers == nil) && (a.centers ?? []).elementsEqual(b.centers ?? [], by: ==)
  }
}

/// The grid of anchors of each pyramid level; mmdetection's `AnchorGenerator` (not the legacy one: nothing is rounded,
/// there is no "+1", and base anchors are centred on the grid point).
///
/// An image's anchors are numbered level by level, then row, column, base anchor.
public struct AnchorGenerator: Sendable {
  /// For each level the anchors of the cell at the origin.
  public let baseAnchors: [[Box]]
  private let strides: [(width: Int, height: Int)]

  public init(_ configuration: AnchorGeneratorConfiguration) {
    strides = configuration.strides
    baseAnchors = configuration.strides.indices.map { level in
      let stride = configuration.strides[level]
      return Self.baseAnchors(
        configuration, size: configuration.baseSizes?[level] ?? Float(min(stride.width, stride.height)),
        center: configuration.centers?[level])
    }
  }

  public var numBaseAnchors: [Int] { baseAnchors.map(\.count) }

  func stride(of level: Int) -> (width: Int, height: Int) { strides[level] }

  /// All anchors, one array a level.
  public func gridAnchors(featmapSizes: [ImageSize]) -> [[Box]] {
    require(featmapSizes.count == strides.count, "\(featmapSizes.count) maps for \(strides.count) levels")
    return featmapSizes.indices.map { level in
      var anchors: [Box] = []
      anchors.reserveCapacity(featmapSizes[level].height * featmapSizes[level].width * baseAnchors[level].count)
      for row in 0..<featmapSizes[level].height {
        let y = Float(row * strides[level].height)
        for column in 0..<featmapSizes[level].width {
          let x = Float(column * strides[level].width)
          for base in baseAnchors[level] {
            anchors.append(Box(base.x1 + x, base.y1 + y, base.x2 + x, base.y2 + y))
          }
        }
      }
      return anchors
    }
  }

  /// Which anchors belong to a cell that the image's own padded size reaches, one array a level: in a batch, an image
  /// may be smaller than the maps.
  public func validFlags(featmapSizes: [ImageSize], padShape: ImageSize) -> [[Bool]] {
    featmapSizes.indices.map { level in
      let (size, stride) = (featmapSizes[level], strides[level])
      let rows = min((padShape.height + stride.height - 1) / stride.height, size.height)
      let columns = min((padShape.width + stride.width - 1) / stride.width, size.width)
      let copies = baseAnchors[level].count
      var flags = [Bool](repeating: false, count: size.height * size.width * copies)
      for row in 0..<rows {
        for anchor in row * size.width * copies..<(row * size.width + columns) * copies { flags[anchor] = true }
      }
      return flags
    }
  }

  /// Which anchors are valid and stick out of the picture by at most `allowedBorder` pixels; with a border below 0
  /// the valid ones. mmdetection's `anchor_inside_flags`.
  public static func anchorInsideFlags(
    _ anchors: [Box], validFlags: [Bool], imgShape: ImageSize, allowedBorder border: Float
  ) -> [Bool] {
    guard border >= 0 else { return validFlags }
    let (right, bottom) = (Float(imgShape.width) + border, Float(imgShape.height) + border)
    return zip(anchors, validFlags).map { anchor, isValid in
      isValid && anchor.x1 >= -border && anchor.y1 >= -border && anchor.x2 < right && anchor.y2 < bottom
    }
  }

  /// Width size / √ratio · scale and height size · √ratio · scale, scales innermost with `scale_major`, else ratios.
  private static func baseAnchors(
    _ configuration: AnchorGeneratorConfiguration, size: Float, center: (x: Float, y: Float)?
  ) -> [Box] {
    let extent: Float = configuration.isLegacy ? 1 : 0
    let offset = configuration.centerOffset * (size - extent)
    let (x, y) = center ?? (offset, offset)
    func anchor(width: Float, height: Float) -> Box {
      let (right, down) = (0.5 * (width - extent), 0.5 * (height - extent))
      let box = Box(x - right, y - down, x + right, y + down)
      guard configuration.isLegacy else { return box }
      func whole(_ value: Float) -> Float { value.rounded(.toNearestOrEven) }
      return Box(whole(box.x1), whole(box.y1), whole(box.x2), whole(box.y2))
    }
    let ratios = configuration.ratios.map { (width: 1 / $0.squareRoot(), height: $0.squareRoot()) }
    if configuration.scaleMajor {
      return ratios.flatMap { ratio in
        configuration.scales.map { anchor(width: size * ratio.width * $0, height: size * ratio.height * $0) }
      }
    }
    return configuration.scales.flatMap { scale in
      ratios.map { anchor(width: size * scale * $0.width, height: size * scale * $0.height) }
    }
  }
}
