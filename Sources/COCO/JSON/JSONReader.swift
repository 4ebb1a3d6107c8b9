/// A strict JSON reader (RFC 8259) that walks the text once and keeps nothing: of the 450 MB of COCO's training
/// annotations, nine tenths are polygons that are stepped over. Every error has its line and column. Python's `NaN`,
/// `Infinity` and `-Infinity` are stepped over, too, and `JSONText.notNumbers` counts them.
///
///     try reader.enterObject()
///     while let key = try reader.nextKey() { … }     // reads or skips the value
struct JSONReader {
  static let maximumDepth = 512

  let text: JSONText
  private(set) var position = 0
  private var depth = 0
  /// Whether the last thing read is an opening bracket.
  private var isAtStart = false
  /// Where the key read last stands in the text.
  private var keyRange = 0..<0
  /// While set, what has been read stays in memory: `JSONRecord` comes back to it.
  var keepsText = false

  init(_ text: JSONText) throws {
    self.text = text
    try text.fill(from: 0)
    if text.end >= 3, text.bytes(0..<3).elementsEqual([0xef, 0xbb, 0xbf]) { position = 3 }
  }

  mutating func enterObject() throws { try enter("{") }
  mutating func enterArray() throws { try enter("[") }

  /// The key of the next member of the object entered last, in front of its value; nil behind the last one.
  mutating func nextKey() throws -> JSONKey? {
    guard try hasNext(until: "}") else { return nil }
    guard try nextCharacter() == UInt8(ascii: "\"") else { throw unexpected("a key in double quotes") }
    let (range, isPlain) = try scanString()
    keyRange = range
    let key = isPlain ? JSONKey(text, range) : JSONKey(Array(try validated(try unescape(range)).utf8))
    try expect(":")
    return key
  }

  /// Whether the array entered last has another element, which comes next.
  mutating func nextElement() throws -> Bool { try hasNext(until: "]") }

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
      try enterArray()
      while try nextElement() { elements.append(try readValue()) }
      return .array(elements)
    }
  }

  /// The value at a position that was read before.
  func value(at position: Int) throws -> JSONValue {
    var reader = self
    reader.position = position
    return try reader.readValue()
  }

  /// The numbers of the array at a position that was read before; nil if it holds anything else, or not four.
  func fourNumbers(at position: Int) throws -> SIMD4<Double>? {
    var reader = self
    reader.position = position
    guard try reader.kind() == .array else { return nil }
    try reader.enterArray()
    var (numbers, count) = (SIMD4<Double>(), 0)
    while try reader.nextElement() {
      guard count < 4, try reader.kind() == .number, let number = try reader.readNumber().double else { return nil }
      numbers[count] = number
      count += 1
    }
    return count == 4 ? numbers : nil
  }

  /// Steps over one value, checking its syntax.
  mutating func skip() throws {
    switch try kind() {
    case .string: try skipString()
    case .number: _ = try scanNumber()
    case .word: if case .number = try readWord() { text.addNotANumber(key: keyRange) }
    case .object:
      let owner = keyRange
      try enterObject()
      while try nextKey() != nil { try skip() }
      keyRange = owner
    case .array:
      if try skipNumberArray() { return }
      try enterArray()
      while try nextElement() { try skip() }
    }
  }

  enum Kind { case object, array, string, number, word }

  /// What the next value is, by its first character; `position` is at that.
  mutating func kind() throws -> Kind {
    switch try nextCharacter() ?? 0 {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "-"): return text[position + 1] == UInt8(ascii: "I") ? .word : .number
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "I"), UInt8(ascii: "N"): return .word
    default: throw unexpected("a JSON value")
    }
  }

  /// Expects nothing but white space up to the end.
  mutating func finish() throws {
    if try nextCharacter() != nil { throw unexpected("the end of the file after the JSON value") }
  }

  /// An error at the current line and column.
  func failure(_ message: String) -> COCOError { COCOError(at: text.place(of: position), message) }
}

// MARK: Structure

extension JSONReader {
  private func unexpected(_ expected: String) -> COCOError {
    guard position < text.end else {
      return failure("expected \(expected), found the end of the file: is it cut short?")
    }
    let byte = text[position]
    guard (0x21...0x7e).contains(byte) else {
      return failure("expected \(expected), found the byte 0x\(String(byte, radix: 16))")
    }
    let delimiters = Set(" \t\r\n,:]}\"".utf8)
    let rest = text.bytes(position..<min(position + 16, text.end))
    let word = rest.prefix { (0x21...0x7e).contains($0) && !delimiters.contains($0) }
    let found = word.isEmpty ? [byte] : Array(word)
    return failure("expected \(expected), found '\(String(decoding: found, as: UTF8.self))'")
  }

  /// The character at `position`, nil at the end of the text.
  private func current() throws -> UInt8? {
    try text.fill(from: position)
    return position < text.end ? text[position] : nil
  }

  /// Steps over white space.
  private mutating func nextCharacter() throws -> UInt8? {
    while let byte = try current() {
      guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return byte }
      position += 1
    }
    return nil
  }

  private mutating func expect(_ character: Unicode.Scalar) throws {
    guard try nextCharacter() == UInt8(ascii: character) else { throw unexpected("'\(character)'") }
    position += 1
  }

  private mutating func enter(_ bracket: Unicode.Scalar) throws {
    try expect(bracket)
    (depth, isAtStart) = (depth + 1, true)
    guard depth <= Self.maximumDepth else { throw failure("is nested deeper than \(Self.maximumDepth) levels") }
  }

  /// Steps over what separates members or elements, or over the closing bracket.
  private mutating func hasNext(until bracket: Unicode.Scalar) throws -> Bool {
    if !keepsText { text.drop(before: position) }
    let byte = try nextCharacter()
    let isFirst = isAtStart
    isAtStart = false
    if byte == UInt8(ascii: bracket) {
      position += 1
      depth -= 1
      return false
    }
    if isFirst { return true }
    guard byte == UInt8(ascii: ",") else { throw unexpected("',' or '\(bracket)'") }
    position += 1
    return true
  }

  private mutating func readWord() throws -> JSONValue {
    try text.fill(from: position)
    let rest = text.bytes(position..<min(position + 9, text.end))
    for (word, value) in Self.words where rest.starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw unexpected("a JSON value")
  }

  private static let words: [(String, JSONValue)] = [
    ("true", .boolean(true)), ("false", .boolean(false)), ("null", .null), ("NaN", .number(.nan)),
    ("Infinity", .number(.infinity)), ("-Infinity", .number(-.infinity)),
  ]

  /// Steps over an array of numbers, or of such arrays, 64 characters at a time. Does nothing and returns false where
  /// anything else is in it, a mistake too: the other functions then find out what it is.
  private mutating func skipNumberArray() throws -> Bool {
    var scan = NumberArrayScan(maximumDepth: Self.maximumDepth - depth)
    var block = position + 1
    while scan.isValid {
      try text.fill(from: block)
      if let count = scan.end(in: text.numberCharacters(at: block)) {
        position = block + count
        return true
      }
      block += 64
    }
    return false
  }
}

// MARK: Strings

extension JSONReader {
  private mutating func readString() throws -> String {
    let (range, isPlain) = try scanString()
    if isPlain { return String(decoding: text.bytes(range), as: UTF8.self) }
    return try validated(try unescape(range))
  }

  private mutating func skipString() throws {
    let (range, isPlain) = try scanString()
    if !isPlain { _ = try validated(try unescape(range)) }
  }

  private func validated(_ bytes: [UInt8]) throws -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw failure("the string that ends here is not valid UTF-8")
    }
    return text
  }

  /// The range between the quotes, and whether it holds nothing but ASCII without escapes.
  private mutating func scanString() throws -> (range: Range<Int>, isPlain: Bool) {
    position += 1
    let start = position
    var isPlain = true
    while true {
      try text.fill(from: position)
      let specials = text.stringSpecials(at: position)
      position += specials.trailingZeroBitCount
      if specials == 0 { continue }
      guard position < text.end else {
        position = text.end
        throw unexpected("the rest of a string")
      }
      let byte = text[position]
      if byte == UInt8(ascii: "\"") {
        position += 1
        return (start..<position - 1, isPlain)
      }
      guard byte >= 0x20 else { throw unexpected("a character of a string (control characters are escaped)") }
      isPlain = false
      position += byte == UInt8(ascii: "\\") ? 2 : 1
    }
  }

  private func unescape(_ range: Range<Int>) throws -> [UInt8] {
    var unescaped: [UInt8] = []
    unescaped.reserveCapacity(range.count)
    var index = range.lowerBound
    while index < range.upperBound {
      let byte = text[index]
      index += 1
      guard byte == UInt8(ascii: "\\") else {
        unescaped.append(byte)
        continue
      }
      let letter = text[index]
      index += 1
      if letter == UInt8(ascii: "u") {
        unescaped.append(contentsOf: String(try escapedScalar(&index, range.upperBound)).utf8)
      } else if let plain = Self.escapes[letter] {
        unescaped.append(plain)
      } else {
        throw failure("the string that ends here holds an escape that JSON does not have")
      }
    }
    return unescaped
  }

  private static let escapes: [UInt8: UInt8] = [
    UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5c, UInt8(ascii: "/"): 0x2f, UInt8(ascii: "b"): 8,
    UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9,
  ]

  /// The scalar after `\u`, which is one unit of UTF-16 or two (a surrogate pair).
  private func escapedScalar(_ index: inout Int, _ end: Int) throws -> Unicode.Scalar {
    let first = try codeUnit(&index, end)
    if let scalar = Unicode.Scalar(first) { return scalar }
    if first < 0xdc00, index + 1 < end, text[index] == UInt8(ascii: "\\"), text[index + 1] == UInt8(ascii: "u") {
      index += 2
      let second = try codeUnit(&index, end)
      let value = 0x10000 + (first - 0xd800) << 10 + second &- 0xdc00
      if (0xdc00...0xdfff).contains(second), let scalar = Unicode.Scalar(value) { return scalar }
    }
    throw failure("the string that ends here holds half of a surrogate pair")
  }

  private func codeUnit(_ index: inout Int, _ end: Int) throws -> UInt32 {
    let digits = text.bytes(index..<min(index + 4, end))
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
    let bytes = text.bytes(range)
    if let number = DecimalNumber(bytes) {
      return isWhole ? .integer(number.significand) : .number(number.value)
    }
    let text = String(decoding: bytes, as: UTF8.self)
    if isWhole, let value = Int64(text) { return .integer(value) }
    return .number(Double(text) ?? .nan)
  }

  /// The range of a number, and whether it has neither fraction nor exponent.
  private mutating func scanNumber() throws -> (range: Range<Int>, isWhole: Bool) {
    let start = position
    var isWhole = true
    if try current() == UInt8(ascii: "-") { position += 1 }
    if try current() == UInt8(ascii: "0") { position += 1 } else { try scanDigits() }
    if try current() == UInt8(ascii: ".") {
      isWhole = false
      position += 1
      try scanDigits()
    }
    if let letter = try current(), letter == UInt8(ascii: "e") || letter == UInt8(ascii: "E") {
      isWhole = false
      position += 1
      if let sign = try current(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
      try scanDigits()
    }
    return (start..<position, isWhole)
  }

  private mutating func scanDigits() throws {
    let start = position
    while let byte = try current(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    if position == start { throw unexpected("a digit") }
  }
}
