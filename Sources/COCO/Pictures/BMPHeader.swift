import Primitives

/// The headers of a BMP file: Windows' (BITMAPINFOHEADER and its successors) and OS/2's.
struct BMPHeader {
  enum Coding { case rows, runs }

  let size: ImageSize
  let isTopDown: Bool
  /// Of a pixel: 1, 4, 8 (indices into the table of colours), 16, 24 or 32.
  let bits: Int
  let coding: Coding
  /// Where the pixels begin in the file.
  let dataOffset: Int
  /// The table of colours: where it is, and how many bytes one has (blue, green, red first).
  let table: Range<Int>
  let colorBytes: Int
  /// Of pixels of 16 and 32 bits: where red, green and blue stand in them.
  let masks: [UInt32]

  /// Whether a file of this beginning is a BMP: two letters are too little to tell.
  static func isExpected(_ start: [UInt8]) -> Bool {
    guard start.count >= 18, start.starts(with: "BM".utf8) else { return false }
    return [12, 16, 40, 52, 56, 64, 108, 124].contains(start.littleEndian(14, 4))
  }

  /// - Throws: `ImageFault`, also for kinds that are not decoded; `COCOError` where the file can't be read.
  init(_ file: PartialFile, _ rules: PictureRules) throws {
    let start = try file.bytes(at: 0, 14 + 124)
    guard Self.isExpected(start) else { throw ImageFault.cutShort }
    let headerSize = start.littleEndian(14, 4)
    guard start.count >= 14 + headerSize else { throw ImageFault.cutShort }
    let isOld = headerSize == 12
    let fieldSize = isOld ? 2 : 4
    func signed(_ offset: Int) -> Int {
      let value = start.littleEndian(offset, fieldSize)
      return isOld ? value : Int(Int32(truncatingIfNeeded: value))
    }
    let (width, height) = (signed(18), signed(18 + fieldSize))
    isTopDown = height < 0
    try rules.check(width: width, height: abs(height))
    size = ImageSize(height: abs(height), width: width)
    bits = start.littleEndian(isOld ? 24 : 28, 2)
    let compression = headerSize >= 40 ? start.littleEndian(30, 4) : 0
    coding = try Self.coding(compression, bits: bits, isOS2: headerSize == 64)
    guard coding == .rows || !isTopDown else { throw ImageFault("the BMP header is damaged: runs from top to bottom") }
    let hasMasks = compression == 3 || compression == 6
    masks = try Self.masks(bits: bits, hasMasks ? try file.bytes(at: 54, 12) : nil)
    dataOffset = start.littleEndian(10, 4)
    let tableStart = 14 + headerSize + (hasMasks && headerSize == 40 ? (compression == 6 ? 16 : 12) : 0)
    guard dataOffset >= tableStart else { throw ImageFault("the BMP header is damaged: its data begin inside of it") }
    colorBytes = isOld ? 3 : 4
    let stated = headerSize >= 40 ? start.littleEndian(46, 4) : 0
    let most = bits <= 8 ? 1 << bits : 0
    let colors = stated == 0 || stated > most ? most : stated
    table = tableStart..<min(tableStart + colors * colorBytes, dataOffset)
  }

  private static func coding(_ compression: Int, bits: Int, isOS2: Bool) throws -> Coding {
    switch (compression, bits) {
    case (0, 1), (0, 4), (0, 8), (0, 16), (0, 24), (0, 32): return .rows
    case (1, 8), (2, 4): return .runs
    case (3, 16), (3, 32), (6, 16), (6, 32): if !isOS2 { return .rows }
    default: break
    }
    throw ImageFault(
      "this kind of BMP (\(bits) bits a pixel, compression \(compression)) is not read; convert it to JPEG or PNG")
  }

  private static func masks(bits: Int, _ stored: [UInt8]?) throws -> [UInt32] {
    guard let stored else { return bits == 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff0000, 0xff00, 0xff] }
    guard stored.count == 12 else { throw ImageFault.cutShort }
    return try (0..<3).map { channel in
      let mask = UInt32(stored.littleEndian(4 * channel, 4))
      let run = mask >> UInt32(mask.trailingZeroBitCount)
      guard run & (run &+ 1) == 0, bits == 32 || mask < 1 << 16 else {
        throw ImageFault("the BMP header is damaged: its masks are not runs of bits")
      }
      return mask
    }
  }
}
