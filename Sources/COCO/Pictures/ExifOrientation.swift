import Primitives

/// The orientation tag of EXIF (CIPA DC-008, tag 274): 1 upright … 8. Damaged blocks count as upright.
enum ExifOrientation {
  /// Of EXIF's TIFF structure: its first directory only, which must lie wholly inside the block.
  static func ofBlock(_ block: ArraySlice<UInt8>) -> Int {
    let bytes = Array(block)
    let isLittleEndian = bytes.starts(with: [0x49, 0x49, 0x2a, 0])
    guard isLittleEndian || bytes.starts(with: [0x4d, 0x4d, 0, 0x2a]), bytes.count >= 8 else { return 1 }
    func number(_ offset: Int, _ count: Int) -> Int {
      let digits = bytes[offset..<offset + count]
      return isLittleEndian ? digits.reversed().reduce(0) { $0 << 8 | Int($1) } : digits.reduce(0) { $0 << 8 | Int($1) }
    }
    let directory = number(4, 4)
    guard directory + 2 <= bytes.count else { return 1 }
    let entries = directory + 2..<directory + 2 + 12 * number(directory, 2)
    guard entries.upperBound <= bytes.count else { return 1 }
    for entry in stride(from: entries.lowerBound, to: entries.upperBound, by: 12) where number(entry, 2) == 274 {
      let orientation = number(entry + 8, 2)
      let isShort = number(entry + 2, 2) == 3
      return isShort && (1...8).contains(orientation) ? orientation : 1
    }
    return 1
  }
}

extension DecodedImage {
  /// The picture turned and mirrored as its EXIF orientation asks for.
  func upright(orientation: Int) -> DecodedImage {
    guard orientation > 1 else { return self }
    let isTransposed = orientation >= 5
    let (newHeight, newWidth) = isTransposed ? (width, height) : (height, width)
    let (mirrorsX, mirrorsY) = ([2, 3, 7, 8].contains(orientation), [3, 4, 6, 7].contains(orientation))
    var upright = [UInt8](repeating: 0, count: pixels.count)
    for y in 0..<newHeight {
      for x in 0..<newWidth {
        var (sourceY, sourceX) = isTransposed ? (x, y) : (y, x)
        if mirrorsX { sourceX = width - 1 - sourceX }
        if mirrorsY { sourceY = height - 1 - sourceY }
        let (source, target) = ((sourceY * width + sourceX) * 3, (y * newWidth + x) * 3)
        for channel in 0..<3 { upright[target + channel] = pixels[source + channel] }
      }
    }
    return DecodedImage(
      ImageSize(height: newHeight, width: newWidth), upright,
      fullSize: isTransposed ? ImageSize(height: fullSize.width, width: fullSize.height) : fullSize,
      reduction: reduction)
  }
}
