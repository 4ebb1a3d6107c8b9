/// An element of an XML file of annotations: its name, its text, and the elements in it. Attributes are stepped over.
struct XMLElement {
  let name: String
  var text = ""
  var children: [XMLElement] = []

  /// The first element of a name in it.
  func child(_ name: String) -> XMLElement? { children.first { $0.name == name } }
}

/// Reads what annotation programs write: elements, text, comments, character references. Entities of a file's own, which
/// could grow without end or name other files, are refused with the document type that declares them.
struct XMLReader {
  private static let maximumDepth = 64

  private let path: String
  private let bytes: [UInt8]
  private var position = 0

  init(path: String, bytes: [UInt8]) { (self.path, self.bytes) = (path, bytes) }

  /// The outermost element.
  /// - Throws: `COCOError` with the file and the line.
  mutating func root() throws -> XMLElement {
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
    var open: [XMLElement] = []
    var root: XMLElement?
    while position < bytes.count {
      guard bytes[position] == UInt8(ascii: "<") else {
        let text = try text()
        if open.isEmpty {
          guard text.allSatisfy(\.isWhitespace) else { throw failure("text stands outside of all elements") }
        } else {
          open[open.count - 1].text += text
        }
        continue
      }
      if try skipped(from: "<!--", to: "-->") || skipped(from: "<?", to: "?>") { continue }
      if starts(with: "<![CDATA[") {
        guard !open.isEmpty else { throw failure("text stands outside of all elements") }
        open[open.count - 1].text += try characterData()
        continue
      }
      if starts(with: "<!") { throw failure("a document type is declared, which annotations don't have") }
      if starts(with: "</") {
        let name = try closingName()
        guard let element = open.popLast(), element.name == name else {
          throw failure("</\(name)> closes no element that is open")
        }
        if open.isEmpty { root = element } else { open[open.count - 1].children.append(element) }
        continue
      }
      guard root == nil else { throw failure("a second element stands outside of all others") }
      let (name, isEmpty) = try openingTag()
      guard open.count < Self.maximumDepth else { throw failure("elements are nested too deep") }
      if !isEmpty {
        open.append(XMLElement(name: name))
      } else if open.isEmpty {
        root = XMLElement(name: name)
      } else {
        open[open.count - 1].children.append(XMLElement(name: name))
      }
    }
    if let last = open.last { throw failure("the file ends inside <\(last.name)>") }
    guard let root else { throw failure("there is no XML element") }
    return root
  }

  // MARK: Parts

  private func starts(with text: StaticString) -> Bool {
    text.withUTF8Buffer { bytes[position...].starts(with: $0) }
  }

  /// Steps over what begins and ends with the given texts; false where something else stands here.
  private mutating func skipped(from start: StaticString, to end: StaticString) throws -> Bool {
    guard starts(with: start) else { return false }
    try skip(through: end)
    return true
  }

  private mutating func skip(through end: StaticString) throws {
    while position < bytes.count, !starts(with: end) { position += 1 }
    guard position < bytes.count else { throw failure("'\(end)' is missing") }
    position += end.utf8CodeUnitCount
  }

  private mutating func characterData() throws -> String {
    position += "<![CDATA[".utf8.count
    let start = position
    try skip(through: "]]>")
    return String(decoding: bytes[start..<position - 3], as: UTF8.self)
  }

  /// Up to the next tag.
  private mutating func text() throws -> String {
    var characters: [UInt8] = []
    while position < bytes.count, bytes[position] != UInt8(ascii: "<") {
      if bytes[position] == UInt8(ascii: "&") {
        characters += try reference().utf8
      } else {
        characters.append(bytes[position])
        position += 1
      }
    }
    return String(decoding: characters, as: UTF8.self)
  }

  /// `&amp;`, `&#65;`, `&#x41;`.
  private mutating func reference() throws -> String {
    let end = bytes[position...].prefix(12).firstIndex(of: UInt8(ascii: ";"))
    guard let end else { throw failure("'&' begins no reference") }
    let name = String(decoding: bytes[position + 1..<end], as: UTF8.self)
    let named = ["lt": "<", "gt": ">", "amp": "&", "quot": "\"", "apos": "'"]
    var character = named[name]
    if name.hasPrefix("#") {
      let number = name.hasPrefix("#x") ? UInt32(name.dropFirst(2), radix: 16) : UInt32(name.dropFirst())
      character = number.flatMap(Unicode.Scalar.init).map { String(Character($0)) }
    }
    guard let character else { throw failure("'&\(name);' is an unknown reference") }
    position = end + 1
    return character
  }

  private mutating func closingName() throws -> String {
    position += 2
    let name = try name()
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: ">") else { throw failure("'>' is missing") }
    position += 1
    return name
  }

  private mutating func openingTag() throws -> (name: String, isEmpty: Bool) {
    position += 1
    let name = try name()
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: ">"):
        position += 1
        return (name, false)
      case UInt8(ascii: "/") where position + 1 < bytes.count && bytes[position + 1] == UInt8(ascii: ">"):
        position += 2
        return (name, true)
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        let quote = bytes[position]
        guard let end = bytes[(position + 1)...].firstIndex(of: quote) else { throw failure("a quote is not closed") }
        position = end + 1
      case UInt8(ascii: "<"): throw failure("<\(name)> is not closed")
      default: position += 1
      }
    }
    throw failure("the file ends inside <\(name)>")
  }

  private mutating func name() throws -> String {
    let start = position
    while position < bytes.count, !Self.endsName(bytes[position]) { position += 1 }
    guard position > start, position - start <= 200 else { throw failure("'<' begins no element") }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private static func endsName(_ byte: UInt8) -> Bool {
    byte <= 0x20 || [UInt8(ascii: ">"), UInt8(ascii: "/"), UInt8(ascii: "<"), UInt8(ascii: "=")].contains(byte)
  }

  private mutating func skipSpace() {
    while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
  }

  private func failure(_ message: String) -> COCOError {
    let line = bytes[..<min(position, bytes.count)].count { $0 == UInt8(ascii: "\n") } + 1
    return COCOError(at: "\(path):\(line)", "is no XML file of annotations: \(message)")
  }
}
