import Foundation

/// What the markers of a JPEG file say, up to the first picture's end.
struct JPEGMarkers {
  /// Whether there is an end marker.
  private(set) var isComplete = false
  private(set) var isProgressive = false
  /// Whether picture data begin.
  private(set) var hasScan = false
  /// EXIF's, of the first such segment before the picture data.
  private(set) var orientation = 1

  init(_ bytes: [UInt8]) {
    var offset = 2
    var isPastExif = false
    while let marker = Self.nextMarker(bytes, &offset) {
      if marker == 0xd9 {
        isComplete = true
        return
      }
      guard offset + 2 <= bytes.count else { return }
      let end = offset + max(2, Int(bytes[offset]) << 8 | Int(bytes[offset + 1]))
      guard end <= bytes.count else { return }
      let content = bytes[offset + 2..<end]
      offset = end
      if marker == 0xc2 { isProgressive = true }
      // Scans (0xda) come after all EXIF segments that count.
      if marker == 0xda { (hasScan, isPastExif) = (true, true) }
      if marker == 0xe1, !isPastExif, content.starts(with: Array("Exif\0\0".utf8)) {
        isPastExif = true
        orientation = ExifOrientation.ofBlock(content.dropFirst(6))
      }
    }
  }

  /// The next marker that has a segment or ends the picture. Steps over entropy-coded data (where 0xff is followed by
  /// 0 or a restart marker), fill bytes and stray ones.
  private static func nextMarker(_ bytes: [UInt8], _ offset: inout Int) -> UInt8? {
    while let found = nextEscape(bytes, offset), found + 1 < bytes.count {
      let second = bytes[found + 1]
      if second != 0, second != 0xff, !(0xd0...0xd7).contains(second) {
        offset = found + 2
        return second
      }
      offset = found + 1
    }
    return nil
  }

  private static func nextEscape(_ bytes: [UInt8], _ offset: Int) -> Int? {
    bytes.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress, offset < bytes.count else { return nil }
      return memchr(start + offset, 0xff, bytes.count - offset).map { start.distance(to: $0) }
    }
  }
}
