/// The entries of a zip archive as PyTorch writes it: stored, not compressed; with zip64's records or without (PKWARE's
/// APPNOTE, sections 4.3.7 to 4.3.16).
struct ZipArchive {
  /// Why an archive can't be read, as the end of a sentence.
  struct Failure: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
  }

  private struct Entry {
    var size: Int
    var compressedSize: Int
    var offset: Int
    let method: Int
    let checksum: UInt32
  }

  private static let signature: [UInt8] = [0x50, 0x4b, 3, 4]
  /// In a 32-bit field: the value stands in a zip64 record.
  private static let elsewhere = 0xffff_ffff
  private let bytes: [UInt8]
  private let entries: [String: Entry]

  static func isArchive(_ bytes: [UInt8]) -> Bool { bytes.starts(with: signature) }

  var names: [String] { entries.keys.sorted() }

  /// - Throws: `Failure`, or `ByteReader.EndOfData` where the archive was cut off.
  init(_ bytes: [UInt8]) throws {
    self.bytes = bytes
    let (count, offset) = try Self.directory(bytes)
    var reader = try ByteReader(bytes[...], at: offset)
    var entries: [String: Entry] = [:]
    var space = bytes.count
    for _ in 0..<count {
      let (name, entry) = try Self.entry(&reader)
      entries[name] = entry
      // Entries that lie over each other would be read again and again.
      guard entry.compressedSize <= space else { throw Failure("it is damaged in its directory") }
      space -= entry.compressedSize
    }
    self.entries = entries
  }

  /// The bytes of an entry; nil if there is none of this name.
  func contents(_ name: String) throws -> ArraySlice<UInt8>? {
    guard let entry = entries[name] else { return nil }
    guard entry.method == 0, entry.size == entry.compressedSize else {
      throw Failure("its entry '\(name)' is compressed, which PyTorch doesn't do")
    }
    var reader = try ByteReader(bytes[...], at: entry.offset)
    guard try Array(reader.read(4)) == Self.signature else {
      throw Failure("it is damaged: its entry '\(name)' doesn't stand where the directory says")
    }
    _ = try reader.read(22)
    let (nameLength, extraLength) = (try reader.size(UInt16.self), try reader.size(UInt16.self))
    _ = try reader.read(nameLength + extraLength)
    let contents = try reader.read(entry.size)
    // PyTorch can be told to leave the checksum out.
    guard entry.checksum == 0 || CRC32.checksum(contents) == entry.checksum else {
      throw Failure("it is damaged: the checksum of its entry '\(name)' is wrong")
    }
    return contents
  }

  /// The number of entries and where their directory begins, from the record at the archive's end.
  private static func directory(_ bytes: [UInt8]) throws -> (count: Int, offset: Int) {
    // A comment of at most 65535 bytes may follow the 22 bytes of the record.
    let candidates = stride(from: bytes.count - 22, through: max(0, bytes.count - 22 - 0xffff), by: -1)
    guard let end = candidates.first(where: { bytes[$0..<$0 + 4].elementsEqual([0x50, 0x4b, 5, 6]) }) else {
      throw ByteReader.EndOfData()
    }
    var reader = try ByteReader(bytes[...], at: end + 10)
    let (count, _, offset) = (
      try reader.size(UInt16.self), try reader.size(UInt32.self), try reader.size(UInt32.self)
    )
    guard count == 0xffff || offset == elsewhere else { return (count, offset) }
    var locator = try ByteReader(bytes[...], at: end - 20 + 8)
    var record = try ByteReader(bytes[...], at: try locator.size(UInt64.self) &+ 32)
    let (longCount, _, longOffset) = (
      try record.size(UInt64.self), try record.size(UInt64.self), try record.size(UInt64.self)
    )
    return (longCount, longOffset)
  }

  private static func entry(_ reader: inout ByteReader) throws -> (name: String, Entry) {
    guard try Array(reader.read(4)) == [0x50, 0x4b, 1, 2] else { throw Failure("it is damaged in its directory") }
    _ = try reader.read(6)
    let method = try reader.size(UInt16.self)
    _ = try reader.read(4)
    let checksum = try reader.number(UInt32.self)
    let (compressedSize, size) = (try reader.size(UInt32.self), try reader.size(UInt32.self))
    let (nameLength, extraLength, commentLength) = (
      try reader.size(UInt16.self), try reader.size(UInt16.self), try reader.size(UInt16.self)
    )
    _ = try reader.read(8)
    let offset = try reader.size(UInt32.self)
    let name = String(decoding: try reader.read(nameLength), as: UTF8.self)
    var entry = Entry(size: size, compressedSize: compressedSize, offset: offset, method: method, checksum: checksum)
    try read(extra: reader.read(extraLength), into: &entry)
    _ = try reader.read(commentLength)
    return (name, entry)
  }

  /// zip64: those of size, compressed size and offset that didn't fit, in this order.
  private static func read(extra: ArraySlice<UInt8>, into entry: inout Entry) throws {
    var reader = try ByteReader(extra)
    while reader.position + 4 <= extra.count {
      let (kind, length) = (try reader.number(UInt16.self), try reader.size(UInt16.self))
      var field = try ByteReader(try reader.read(length))
      guard kind == 1 else { continue }
      if entry.size == elsewhere { entry.size = try field.size(UInt64.self) }
      if entry.compressedSize == elsewhere { entry.compressedSize = try field.size(UInt64.self) }
      if entry.offset == elsewhere { entry.offset = try field.size(UInt64.self) }
    }
  }
}
