import Primitives

/// BMP, for which there is no library: indices into a table of colours, of 1, 4 and 8 bits, also run-length encoded, and
/// colours of 16, 24 and 32 bits. Channels of less than 8 bits get zeros below, as in OpenCV.
enum BMPDecoder {
  /// The size. BMP knows no orientation.
  static func header(of file: PartialFile, _ rules: PictureRules) throws -> (ImageSize, orientation: Int) {
    (try BMPHeader(file, rules).size, 1)
  }

  static func decode(_ file: [UInt8], _ rules: PictureRules, _ pool: PixelPool) throws -> DecodedImage {
    let header = try BMPHeader(PartialFile(file), rules)
    let size = header.size
    var pixels = pool.take(size.height * size.width * 3)
    switch (header.coding, header.bits) {
    case (.runs, _):
      let indices = try RunLengths(header).indices(file)
      let colors = colors(file, header)
      for (pixel, index) in indices.enumerated() { write(colors, Int(index), to: &pixels, pixel) }
    case (.rows, 1), (.rows, 4), (.rows, 8):
      let colors = colors(file, header)
      let bits = header.bits
      try eachRow(file, header) { start, pixel in
        for x in 0..<size.width {
          let byte = Int(file[start + x * bits / 8])
          let shift = 8 - bits - x * bits % 8
          write(colors, byte >> shift & (1 << bits - 1), to: &pixels, pixel + x)
        }
      }
    case (.rows, 16): try writeMasked(file, header, to: &pixels)
    case (.rows, 32) where header.masks != [0xff0000, 0xff00, 0xff]: try writeMasked(file, header, to: &pixels)
    default:
      let bytes = header.bits / 8
      try eachRow(file, header) { start, pixel in
        for x in 0..<size.width {
          for channel in 0..<3 { pixels[(pixel + x) * 3 + channel] = file[start + x * bytes + channel] }
        }
      }
    }
    return DecodedImage(size, pixels, fullSize: size, reduction: 1)
  }

  /// Calls with where each stored row begins in the file, and with its first pixel in the picture.
  private static func eachRow(
    _ file: [UInt8], _ header: BMPHeader, _ body: (_ start: Int, _ pixel: Int) -> Void
  ) throws {
    let (height, width) = (header.size.height, header.size.width)
    let stride = (width * header.bits + 31) / 32 * 4
    // Some programs leave the last row's padding out.
    let needed = header.dataOffset + stride * (height - 1) + (width * header.bits + 7) / 8
    guard needed <= file.count else { throw ImageFault.cutShort }
    for row in 0..<height {
      body(header.dataOffset + row * stride, (header.isTopDown ? row : height - 1 - row) * width)
    }
  }

  /// Blue, green, red for each of 256 indices; black for those that the file has no colour for.
  private static func colors(_ file: [UInt8], _ header: BMPHeader) -> [UInt8] {
    var colors = [UInt8](repeating: 0, count: 256 * 3)
    let table = header.table.clamped(to: 0..<file.count)
    for index in 0..<table.count / header.colorBytes {
      for channel in 0..<3 {
        colors[index * 3 + channel] = file[table.lowerBound + index * header.colorBytes + channel]
      }
    }
    return colors
  }

  private static func write(_ colors: [UInt8], _ index: Int, to pixels: inout [UInt8], _ pixel: Int) {
    for channel in 0..<3 { pixels[pixel * 3 + channel] = colors[index * 3 + channel] }
  }

  private static func writeMasked(_ file: [UInt8], _ header: BMPHeader, to pixels: inout [UInt8]) throws {
    let bytes = header.bits / 8
    // Blue first.
    let channels = header.masks.reversed().map { mask in
      (mask: mask, low: UInt32(mask.trailingZeroBitCount), bits: UInt32(mask.nonzeroBitCount))
    }
    try eachRow(file, header) { start, pixel in
      for x in 0..<header.size.width {
        let value = UInt32(file.littleEndian(start + x * bytes, bytes))
        for (place, channel) in channels.enumerated() {
          let level = channel.mask == 0 ? 0 : (value & channel.mask) >> channel.low
          let byte = channel.bits >= 8 ? level >> (channel.bits - 8) : level << (8 - channel.bits)
          pixels[(pixel + x) * 3 + place] = UInt8(byte)
        }
      }
    }
  }
}

/// Run-length encoded indices of 4 or 8 bits (BI_RLE4, BI_RLE8).
private struct RunLengths {
  private let header: BMPHeader
  private let size: ImageSize
  /// The next pixel; rows from the bottom.
  private var (x, y) = (0, 0)

  init(_ header: BMPHeader) { (self.header, size) = (header, header.size) }

  /// An index for each pixel, from the top; 0 where the runs leave some out.
  func indices(_ file: [UInt8]) throws -> [UInt8] {
    var runs = self
    var indices = [UInt8](repeating: 0, count: size.height * size.width)
    var offset = header.dataOffset
    while runs.y < size.height {
      guard offset + 2 <= file.count else { throw ImageFault.cutShort }
      let (first, second) = (Int(file[offset]), Int(file[offset + 1]))
      offset += 2
      switch (first, second) {
      case (0, 0): (runs.x, runs.y) = (0, runs.y + 1)
      case (0, 1): return indices
      case (0, 2):
        guard offset + 2 <= file.count else { throw ImageFault.cutShort }
        (runs.x, runs.y) = (runs.x + Int(file[offset]), runs.y + Int(file[offset + 1]))
        offset += 2
      case (0, _):
        let length = (second * header.bits + 15) / 16 * 2
        guard offset + length <= file.count else { throw ImageFault.cutShort }
        try runs.write(file[offset..<offset + length], count: second, to: &indices)
        offset += length
      default:
        let byte = file[offset - 1]
        try runs.write(repeatElement(byte, count: first * header.bits / 8 + 1)[...], count: first, to: &indices)
      }
    }
    return indices
  }

  private mutating func write(
    _ bytes: some RandomAccessCollection<UInt8>, count: Int, to indices: inout [UInt8]
  ) throws {
    guard x + count <= size.width else { throw ImageFault("the BMP data are damaged: a run leaves its row") }
    let target = (size.height - 1 - y) * size.width + x
    for (place, byte) in bytes.enumerated() {
      if header.bits == 8 {
        if place < count { indices[target + place] = byte }
      } else {
        if 2 * place < count { indices[target + 2 * place] = byte >> 4 }
        if 2 * place + 1 < count { indices[target + 2 * place + 1] = byte & 15 }
      }
    }
    x += count
  }
}
