import Primitives

/// A member of a tar archive as its headers describe it.
struct TarEntry {
  enum Kind: UInt8 {
    case file, folder
    /// To another member or file; the content is elsewhere.
    case link
    /// With holes, which GNU tar leaves out.
    case sparse
    /// A device, a pipe, the rest of a file in another volume.
    case other
  }

  /// As it is stored.
  var name: [UInt8]
  var kind: Kind
  /// Of a hard link: the member's name that holds the content.
  var target: [UInt8] = []
  /// Where its content begins in the archive.
  var offset: Int
  var size: Int
}

/// Reads the headers of a tar archive, member by member: POSIX (ustar and pax), GNU's and the oldest form.
struct TarReader {
  private let file: PartialFile
  private var offset = 0
  /// What members before the next say about it.
  private var next = Extension()

  private struct Extension {
    var name: [UInt8]?
    var target: [UInt8]?
    var size: Int?
    var isSparse = false
  }

  private static let block = 512

  init(_ file: PartialFile) { self.file = file }

  /// The next member; nil at the archive's end.
  /// - Throws: `COCOError` where the archive is cut short or damaged, with the place in it.
  mutating func entry() throws -> TarEntry? {
    while let header = try header() {
      let size = try next.size ?? number(header[124..<136], "size")
      let kind = header[156]
      // Links state the size of what they mean.
      let content = offset..<offset + ("123456".utf8.contains(kind) ? 0 : size)
      guard content.upperBound <= file.count else {
        throw fault(
          "the archive is cut short: its member '\(name(header))' has \(size) bytes from byte \(offset) on, but the archive "
            + "ends at byte \(file.count)")
      }
      offset += (content.count + Self.block - 1) / Self.block * Self.block
      switch kind {
      case UInt8(ascii: "x"): try read(extendedHeader: content)
      case UInt8(ascii: "L"): next.name = try text(content)
      case UInt8(ascii: "K"): next.target = try text(content)
      // Of all members; nothing in it is needed. V names the volume.
      case UInt8(ascii: "g"), UInt8(ascii: "V"): break
      default:
        var entry = TarEntry(
          name: name(header), kind: self.kind(kind, header), offset: content.lowerBound, size: content.count)
        if kind == UInt8(ascii: "1") { entry.target = next.target ?? Self.text(header[157..<257]) }
        next = Extension()
        return entry
      }
    }
    return nil
  }

  /// The next header; nil for the blocks of zeros at the end.
  private mutating func header() throws -> [UInt8]? {
    let header = try file.bytes(at: offset, Self.block)
    guard header.count == Self.block else {
      if offset == 0 { throw TarError.foreign }
      throw fault("the archive is cut short: at byte \(offset) its next member or its end mark is missing")
    }
    if header.allSatisfy({ $0 == 0 }) { return nil }
    let sum = header.indices.reduce(0) { $0 + ((148..<156).contains($1) ? 32 : Int(header[$1])) }
    // Some have added up signed bytes.
    let signedSum = header.indices.reduce(0) {
      $0 + ((148..<156).contains($1) ? 32 : Int(Int8(bitPattern: header[$1])))
    }
    let stated = try? number(header[148..<156], "checksum")
    guard stated == sum || stated == signedSum else {
      guard offset > 0 else { throw TarError.foreign }
      throw fault("the archive is damaged: at byte \(offset) a member's header is expected, and its checksum is wrong")
    }
    offset += Self.block
    return header
  }

  private func name(_ header: [UInt8]) -> [UInt8] {
    if let name = next.name { return name }
    let name = Self.text(header[..<100])
    guard header[257..<263].elementsEqual("ustar\0".utf8) else { return name }
    let prefix = Self.text(header[345..<500])
    return prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
  }

  private func name(_ header: [UInt8]) -> String { String(decoding: name(header) as [UInt8], as: UTF8.self) }

  private func kind(_ type: UInt8, _ header: [UInt8]) -> TarEntry.Kind {
    switch type {
    case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
      // In the oldest form a folder is known by its slash.
      if next.isSparse { return .sparse }
      return (name(header) as [UInt8]).last == UInt8(ascii: "/") ? .folder : .file
    case UInt8(ascii: "1"), UInt8(ascii: "2"): return .link
    case UInt8(ascii: "5"), UInt8(ascii: "D"): return .folder
    case UInt8(ascii: "S"): return .sparse
    default: return .other
    }
  }

  /// Octal digits, or where the highest bit is set a binary number.
  private func number(_ field: ArraySlice<UInt8>, _ what: String) throws -> Int {
    if let first = field.first, first & 0x80 != 0 {
      let value = field.dropFirst().reduce((first & 0x7f == 0 ? 0 : Int.max, false)) { value, byte in
        value.0 >> 40 != 0 ? (value.0, true) : (value.0 << 8 | Int(byte), value.1)
      }
      guard !value.1 else {
        throw fault("the archive is damaged: at byte \(offset) a header states an impossible \(what)")
      }
      return value.0
    }
    let digits = field.drop { $0 == 32 }.prefix { (0x30...0x37).contains($0) }
    guard field.drop(while: { $0 == 32 }).dropFirst(digits.count).allSatisfy({ $0 == 0 || $0 == 32 }) else {
      throw fault("the archive is damaged: at byte \(offset) a header's \(what) is no number")
    }
    return digits.reduce(0) { $0 << 3 | Int($1 - 0x30) }
  }

  /// Records of "length key=value\n".
  private mutating func read(extendedHeader content: Range<Int>) throws {
    let bytes = try extensionBytes(content)
    var rest = bytes[...]
    while let space = rest.firstIndex(of: 32) {
      guard let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length > space - rest.startIndex + 2,
        length <= rest.count
      else { break }
      let record = rest[(space + 1)..<(rest.startIndex + length - 1)]
      rest = rest.dropFirst(length)
      guard let sign = record.firstIndex(of: UInt8(ascii: "=")) else { continue }
      let value = Array(record[(sign + 1)...])
      switch String(decoding: record[..<sign], as: UTF8.self) {
      case "path": next.name = value
      case "linkpath": next.target = value
      case "size":
        guard let size = Int(String(decoding: value, as: UTF8.self)), (0..<1 << 56).contains(size) else {
          throw fault("the archive is damaged: the extended header at byte \(content.lowerBound) states no size")
        }
        next.size = size
      case let key where key.hasPrefix("GNU.sparse."): next.isSparse = true
      default: break
      }
    }
    guard rest.isEmpty else {
      throw fault("the archive is damaged: the extended header at byte \(content.lowerBound) can't be read")
    }
  }

  private func text(_ content: Range<Int>) throws -> [UInt8] { Self.text(try extensionBytes(content)[...]) }

  private func extensionBytes(_ content: Range<Int>) throws -> [UInt8] {
    guard content.count <= 1 << 20 else {
      throw fault("the archive is damaged: the name at byte \(content.lowerBound) has \(content.count) bytes")
    }
    return try file.bytes(at: content.lowerBound, content.count)
  }

  private static func text(_ field: ArraySlice<UInt8>) -> [UInt8] { Array(field.prefix { $0 != 0 }) }

  private func fault(_ text: String) -> COCOError { COCOError(at: file.path, text) }
}

enum TarError: Error {
  /// The file begins with something else than a member.
  case foreign
}
