import Primitives

/// A checksum over a whole checkpoint, behind the end of the HDF5 file, where readers of HDF5 don't look. HDF5 has
/// checksums of its own, but not over strings of variable length: one flipped bit there makes it read for ever.
enum Checksum {
  /// What the last 16 bytes begin with.
  private static let mark = Array("rcnn-fnv".utf8)

  static func append(to image: inout [UInt8]) {
    let hash = FNV1a.hash(of: image)
    image += mark + (0..<8).map { UInt8(truncatingIfNeeded: hash >> (8 * $0)) }
  }

  /// Whether the checksum fits the rest; nil for a file without one, from another program, which has only HDF5's own.
  static func isRight(_ image: [UInt8]) -> Bool? {
    let end = image.count - 16
    guard end >= 0, image[end..<end + 8].elementsEqual(mark) else { return nil }
    return FNV1a.hash(of: image[..<end]) == image[(end + 8)...].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
