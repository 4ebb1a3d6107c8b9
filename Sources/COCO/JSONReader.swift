/// A strict JSON reader (RFC 8259) that walks the text once and keeps nothing: of the 450 MB of COCO's training
/// annotations, nine tenths are polygons that are stepped over. Every error has its line and column.
struct JSONReader {
  static let maximumDepth = 512

  private let path: String
  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0

  init(path: String, bytes: [UInt8]) {
    (self.path, self.bytes) = (path, bytes)
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
  }

  /// Calls `member` for each member of an object; it must read or skip the value.
  mutating func readObject(_ member: (inout JSONReader, String) throws -> Void) throws {
    try enter("{")
    if try !leaves("}") {
      repeat {
        skipWhitespace()
        guard current == UInt8(ascii: "\"") else { throw unexpected("a key in double quotes") }
        let key = try readString()
        try expect(":")
        try member(&self, key)
      } while try continues(until: "}")
    }
    depth -= 1
  }

  /// Calls `element` for each element of an array with its index; it must read or skip the value.
  mutating func readArray(_ element: (inout JSONReader, Int) throws -> Void) throws {
    try enter("[")
    var index = 0
    if try !leaves("]") {
      repeat {
        try element(&self, index)
        index += 1
      } while try continues(until: "]")
    }
    depth -= 1
  }

  /// An object's members with the given names; all others are skipped.
  mutating func readMembers(_ names: [String]) throws -> JSONMembers {
    var members = JSONMembers()
    try readObject { reader, key in
      guard names.contains(key) else { return try reader.skip() }
      guard members[key] == nil else { throw reader.failure("the key '\(key)' stands twice in one object") }
      members.append(key, try reader.readValue())
    }
    return members
  }

  /// Any value; of an object only that it is one.
  mutating func readValue() throws -> JSONValue {
    switch try kind() {
    case .string: return .string(try readString())
    case .number: return try readNumber()
    case .word: return try readWord()
    case .object:
      try skip()
      return .object
    case .array:
      var elements: [JSONValue] = []
      try readArray { reader, _ in elements.append(try reader.readValue()) }
      return .array(elements)
    }
  }

  /// Steps over one value, checking its syntax.
  mutating func skip() throws {
    switch try kind() {
    case .string: try skipString()
    case .number: _ = try scanNumber()
    case .word: _ = try readWord()
    case .object: try readObject { reader, _ in try reader.skip() }
    case .array: try readArray { reader, _ in try reader.skip() }
    }
  }

  enum Kind { case object, array, string, number, word }

  /// What the next value is, by its first character.
  mutating func kind() throws -> Kind {
    skipWhitespace()
    switch current ?? 0 {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    case UInt8(ascii: "a")...UInt8(ascii: "z"): return .word
    default: throw unexpected("a JSON value")
    }
  }

  /// Expects nothing but white space up to the end.
  mutating func finish() throws {
    skipWhitespace()
    if current != nil { throw unexpected("the end of the file after the JSON value") }
  }

  /// An error at the current line and column.
  func failure(_ message: String) -> COCOError {
    let before = bytes[..<min(position, bytes.count)]
    let line = before.reduce(1) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return COCOError(at: "\(path):\(line):\(position - lineStart + 1)", message)
  }
}

// MARK: Structure

extension JSONReader {
  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func unexpected(_ expected: String) -> COCOError {
    guard let byte = current else {
      return failure("expected \(expected), found the end of the file: is it cut short?")
    }
    guard (0x21...0x7e).contains(byte) else {
      return failure("expected \(expected), found the byte 0x\(String(byte, radix: 16))")
    }
    let delimiters = Set(" \t\r\n,:]}\"".utf8)
    let word = bytes[position...].prefix(16).prefix { (0x21...0x7e).contains($0) && !delimiters.contains($0) }
    return failure("expected \(expected), found '\(String(decoding: word.isEmpty ? [byte] : word, as: UTF8.self))'")
  }

  private mutating func skipWhitespace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x0a, 0x0d, 0x09: position += 1
      default: return
      }
    }
  }

  private mutating func expect(_ character: Unicode.Scalar) throws {
    skipWhitespace()
    guard current == UInt8(ascii: character) else { throw unexpected("'\(character)'") }
    position += 1
  }

  private mutating func enter(_ bracket: Unicode.Scalar) throws {
    try expect(bracket)
    depth += 1
    guard depth <= Self.maximumDepth else { throw failure("is nested deeper than \(Self.maximumDepth) levels") }
  }

  /// Steps over the closing bracket of an empty array or object, if that is what comes.
  private mutating func leaves(_ bracket: Unicode.Scalar) throws -> Bool {
    skipWhitespace()
    guard current == UInt8(ascii: bracket) else { return false }
    position += 1
    return true
  }

  private mutating func continues(until bracket: Unicode.Scalar) throws -> Bool {
    skipWhitespace()
    guard let byte = current, byte == UInt8(ascii: ",") || byte == UInt8(ascii: bracket) else {
      throw unexpected("',' or '\(bracket)'")
    }
    position += 1
    return byte == UInt8(ascii: ",")
  }

  private mutating func readWord() throws -> JSONValue {
    for (word, value) in [("true", JSONValue.boolean(true)), ("false", .boolean(false)), ("null", .null)]
    where bytes[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw unexpected("a JSON value")
  }
}

// MARK: Strings

extension JSONReader {
  private mutating func readString() throws -> String {
    let (range, isPlain) = try scanString()
    if isPlain { return String(decoding: bytes[range], as: UTF8.self) }
    guard let text = String(validating: try unescape(range), as: UTF8.self) else {
      throw failure("the string that ends here is not valid UTF-8")
    }
    return text
  }

  private mutating func skipString() throws {
    let (range, isPlain) = try scanString()
    if isPlain { return }
    guard String(validating: try unescape(range), as: UTF8.self) != nil else {
      throw failure("the string that ends here is not valid UTF-8")
    }
  }

  /// The range between the quotes, and whether it holds nothing but ASCII without escapes.
  private mutating func scanString() throws -> (range: Range<Int>, isPlain: Bool) {
    position += 1
    let start = position
    var isPlain = true
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        position += 1
        return (start..<position - 1, isPlain)
      }
      guard byte >= 0x20 else { throw unexpected("a character of a string (control characters are escaped)") }
      isPlain = isPlain && byte < 0x80 && byte != UInt8(ascii: "\\")
      position += byte == UInt8(ascii: "\\") ? 2 : 1
    }
    position = bytes.count
    throw unexpected("the rest of a string")
  }

  private func unescape(_ range: Range<Int>) throws -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(range.count)
    var index = range.lowerBound
    while index < range.upperBound {
      let byte = bytes[index]
      index += 1
      guard byte == UInt8(ascii: "\\") else {
        text.append(byte)
        continue
      }
      let letter = bytes[index]
      index += 1
      if letter == UInt8(ascii: "u") {
        text.append(contentsOf: String(try escapedScalar(&index, range.upperBound)).utf8)
      } else if let plain = Self.escapes[letter] {
        text.append(plain)
      } else {
        throw failure("the string that ends here holds an escape that JSON does not have")
      }
    }
    return text
  }

  private static let escapes: [UInt8: UInt8] = [
    UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5c, UInt8(ascii: "/"): 0x2f, UInt8(ascii: "b"): 8,
    UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9,
  ]

  /// The scalar after `\u`, which is one unit of UTF-16 or two (a surrogate pair).
  private func escapedScalar(_ index: inout Int, _ end: Int) throws -> Unicode.Scalar {
    let first = try codeUnit(&index, end)
    if let scalar = Unicode.Scalar(first) { return scalar }
    if first < 0xdc00, index + 1 < end, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") {
      index += 2
      let second = try codeUnit(&index, end)
      let value = 0x10000 + (first - 0xd800) << 10 + second &- 0xdc00
      if (0xdc00...0xdfff).contains(second), let scalar = Unicode.Scalar(value) { return scalar }
    }
    throw failure("the string that ends here holds half of a surrogate pair")
  }

  private func codeUnit(_ index: inout Int, _ end: Int) throws -> UInt32 {
    let digits = bytes[index..<min(index + 4, end)]
    guard digits.count == 4, !digits.contains(UInt8(ascii: "+")), !digits.contains(UInt8(ascii: "-")),
      let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw failure("the string that ends here holds '\\u' without four hexadecimal digits") }
    index += 4
    return value
  }
}

// MARK: Numbers

extension JSONReader {
  private mutating func readNumber() throws -> JSONValue {
    let (range, isWhole) = try scanNumber()
    let text = String(decoding: bytes[range], as: UTF8.self)
    if isWhole, let value = Int64(text) { return .integer(value) }
    return .number(Double(text) ?? .nan)
  }

  /// The range of a number, and whether it has neither fraction nor exponent.
  private mutating func scanNumber() throws -> (range: Range<Int>, isWhole: Bool) {
    let start = position
    var isWhole = true
    if current == UInt8(ascii: "-") { position += 1 }
    if current == UInt8(ascii: "0") { position += 1 } else { try scanDigits() }
    if current == UInt8(ascii: ".") {
      isWhole = false
      position += 1
      try scanDigits()
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      isWhole = false
      position += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
      try scanDigits()
    }
    return (start..<position, isWhole)
  }

  private mutating func scanDigits() throws {
    let start = position
    while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) { position += 1 }
    if position == start { throw unexpected("a digit") }
  }
}
