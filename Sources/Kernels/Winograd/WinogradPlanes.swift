/// The 36 places of transformed squares, one matrix a place: `[place][group of 16 channels][line][16]`, where lines are
/// tiles or the other channels of weights.
///
/// All that a square writes or reads at once, one vector a place, goes to different sets of the cache: places and groups
/// are an odd number of cache lines apart.
struct WinogradPlanes {
  static let places = 36

  private let base: Floats
  private let placeStride: Int
  private let groupStride: Int

  /// - Parameter base: room for `count` floats.
  init(_ base: Floats, channels: Int, lines: Int) {
    let (group, place) = Self.strides(channels, lines)
    (self.base, groupStride, placeStride) = (base, group, place)
  }

  /// The floats of all planes.
  static func count(channels: Int, lines: Int) -> Int { places * strides(channels, lines).place }

  private static func strides(_ channels: Int, _ lines: Int) -> (group: Int, place: Int) {
    let rows = (lines + PanelProduct.rows - 1) / PanelProduct.rows * PanelProduct.rows
    let group = (rows | 1) * Vector.scalarCount
    let place = ((channels / Vector.scalarCount * group) / Vector.scalarCount | 1) * Vector.scalarCount
    return (group, place)
  }

  /// The matrix of a place from a group and a line on.
  func panels(place: Int, group: Int = 0, line: Int = 0) -> PanelProduct.Panels {
    PanelProduct.Panels(
      base: base + place * placeStride + group * groupStride + line * Vector.scalarCount, stride: groupStride)
  }

  /// The 36 vectors of a square.
  @inline(__always)
  func square(group: Int, line: Int) -> Square {
    Square(start: base + group * groupStride + line * Vector.scalarCount, stride: placeStride)
  }

  struct Square {
    fileprivate let start: Floats
    fileprivate let stride: Int

    @inline(__always)
    subscript(place: Int) -> Vector {
      get { (start + place * stride).vector }
      nonmutating set { (start + place * stride).vector = newValue }
    }
  }
}
