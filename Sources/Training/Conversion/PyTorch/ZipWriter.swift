/// Makes the bytes of a zip archive as PyTorch wants it: entries are stored, and their contents begin at multiples of 64
/// bytes, so that they can be mapped into memory. Less than 4 GiB. The same entries give the same bytes.
struct ZipWriter {
  private var bytes: [UInt8] = []
  private var directory: [UInt8] = []
  private var count = 0

  private static let alignment = 64
  /// The first day that zip knows, 1980-01-01.
  private static let date: UInt16 = 0x21

  mutating func add(_ name: String, _ contents: [UInt8]) {
    let (offset, name) = (bytes.count, Array(name.utf8))
    let checksum = CRC32.checksum(contents[...])
    let start = offset + 30 + name.count + 4
    let padding = (Self.alignment - start % Self.alignment) % Self.alignment
    var common: [UInt8] = []
    // Version 2.0, no flags, stored.
    for field in [20, 0, 0, 0, Self.date] { common.append(number: field) }
    for field in [checksum, UInt32(contents.count), UInt32(contents.count)] { common.append(number: field) }
    common.append(number: UInt16(name.count))

    bytes += [0x50, 0x4b, 3, 4] + common
    bytes.append(number: UInt16(4 + padding))
    bytes += name + Array("FB".utf8)
    bytes.append(number: UInt16(padding))
    bytes += repeatElement(UInt8(ascii: "Z"), count: padding)
    bytes += contents

    directory += [0x50, 0x4b, 1, 2, 20, 0] + common
    for field: UInt16 in [0, 0, 0, 0] { directory.append(number: field) }
    directory.append(number: UInt32(0))
    directory.append(number: UInt32(offset))
    directory += name
    count += 1
  }

  /// The finished archive, of less than 4 GiB.
  var image: [UInt8] {
    var image = bytes + directory + [0x50, 0x4b, 5, 6]
    for field in [0, 0, UInt16(count), UInt16(count)] { image.append(number: field) }
    for field in [UInt32(directory.count), UInt32(bytes.count)] { image.append(number: field) }
    image.append(number: UInt16(0))
    return image
  }
}

extension [UInt8] {
  /// Little-endian.
  mutating func append<Number: FixedWidthInteger>(number: Number) {
    Swift.withUnsafeBytes(of: number.littleEndian) { self += $0 }
  }
}
