/// Reads little-endian numbers and stretches of bytes, and never beyond the end.
struct ByteReader {
  /// The bytes ended before what was to be read.
  struct EndOfData: Error {}

  private let bytes: ArraySlice<UInt8>
  /// From the beginning of the bytes.
  private(set) var position = 0

  init(_ bytes: ArraySlice<UInt8>, at position: Int = 0) throws(EndOfData) {
    guard 0...bytes.count ~= position else { throw EndOfData() }
    (self.bytes, self.position) = (bytes, position)
  }

  mutating func read(_ count: Int) throws(EndOfData) -> ArraySlice<UInt8> {
    guard count >= 0, count <= bytes.count - position else { throw EndOfData() }
    let start = bytes.startIndex + position
    position += count
    return bytes[start..<start + count]
  }

  mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) throws(EndOfData) -> Number {
    try read(MemoryLayout<Number>.size).reversed().reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
  }

  /// A length or a place, which must fit an `Int`.
  mutating func size<Number: FixedWidthInteger>(_ type: Number.Type) throws(EndOfData) -> Int {
    guard let size = Int(exactly: try number(type)), size >= 0 else { throw EndOfData() }
    return size
  }

  /// The bytes up to a line feed, which is passed over.
  mutating func line() throws(EndOfData) -> ArraySlice<UInt8> {
    let start = bytes.startIndex + position
    guard let end = bytes[start...].firstIndex(of: 0x0a) else { throw EndOfData() }
    position += end - start + 1
    return bytes[start..<end]
  }
}
