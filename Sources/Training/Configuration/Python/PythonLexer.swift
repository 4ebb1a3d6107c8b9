/// A word of a Python file.
struct PythonToken {
  enum Kind: Equatable {
    case name(String)
    /// As written, without underscores.
    case number(String)
    /// What the literal stands for.
    case text(String)
    case symbol(String)
    /// The end of a statement.
    case newline
    case end
  }
  let kind: Kind
  let place: ConfigurationPlace
  /// As written, for messages.
  let spelling: String
}

/// Cuts the text of a Python file into words, by the lexical rules of Python 3 as far as data need them.
struct PythonLexer {
  private let scalars: [Unicode.Scalar]
  private let source: ConfigurationSource
  private var index = 0
  private var line = 1
  private var lineStart = 0
  /// How many brackets are open; inside them the end of a line says nothing.
  private var depth = 0

  init(_ text: String, source: ConfigurationSource) {
    scalars = Array(text.unicodeScalars.filter { $0 != "\r" && $0 != "\u{FEFF}" })
    self.source = source
  }

  static func tokens(of text: String, source: ConfigurationSource) throws -> [PythonToken] {
    var lexer = PythonLexer(text, source: source)
    var tokens: [PythonToken] = []
    repeat { tokens.append(try lexer.next()) } while tokens.last?.kind != .end
    return tokens
  }

  private var here: ConfigurationPlace {
    ConfigurationPlace(source: source, line: line, column: index - lineStart + 1)
  }

  private func peek(_ offset: Int = 0) -> Unicode.Scalar? {
    index + offset < scalars.count ? scalars[index + offset] : nil
  }

  private mutating func advance() {
    if scalars[index] == "\n" { (line, lineStart) = (line + 1, index + 1) }
    index += 1
  }

  private mutating func next() throws -> PythonToken {
    skipBlanks()
    let (start, place) = (index, here)
    func token(_ kind: PythonToken.Kind) -> PythonToken {
      PythonToken(kind: kind, place: place, spelling: Self.string(scalars[start..<index]))
    }
    guard let scalar = peek() else { return token(.end) }
    if scalar == "\n" || scalar == ";" {
      advance()
      return token(.newline)
    }
    if Self.isLetter(scalar) {
      while let scalar = peek(), Self.isLetter(scalar) || Self.isDigit(scalar) { advance() }
      let name = Self.string(scalars[start..<index])
      guard let quote = peek(), quote == "'" || quote == "\"" else { return token(.name(name)) }
      guard ["r", "u"].contains(name.lowercased()) else {
        throw ConfigurationError(place, "a text that begins with \(name)\(quote) is not read", hint: PythonReader.hint)
      }
      return token(.text(try text(isRaw: name.lowercased() == "r", from: place)))
    }
    if scalar == "'" || scalar == "\"" { return token(.text(try text(isRaw: false, from: place))) }
    if Self.isDigit(scalar) || (scalar == "." && peek(1).map(Self.isDigit) ?? false) {
      return token(.number(try number(from: place)))
    }
    return token(.symbol(symbol()))
  }

  /// Steps over blanks, comments, and the ends of lines where they say nothing.
  private mutating func skipBlanks() {
    while let scalar = peek() {
      switch scalar {
      case " ", "\t", "\u{0C}": advance()
      case "#": while let scalar = peek(), scalar != "\n" { advance() }
      case "\n" where depth > 0: advance()
      case "\\" where peek(1) == "\n":
        advance()
        advance()
      default: return
      }
    }
  }

  private mutating func symbol() -> String {
    let scalar = scalars[index]
    if "([{".unicodeScalars.contains(scalar) { depth += 1 }
    if ")]}".unicodeScalars.contains(scalar) { depth = max(0, depth - 1) }
    for double in ["**", "//", "==", "+=", "-=", "*=", "/=", "->", ":="] {
      if let second = peek(1), String(scalar) + String(second) == double {
        index += 2
        return double
      }
    }
    advance()
    return String(scalar)
  }

  /// A number in Python's notation, as one that Swift reads.
  private mutating func number(from place: ConfigurationPlace) throws -> String {
    let start = index
    while let scalar = peek() {
      let isExponentSign = (scalar == "+" || scalar == "-") && "eE".unicodeScalars.contains(scalars[index - 1])
      guard Self.isDigit(scalar) || Self.isLetter(scalar) || scalar == "." || isExponentSign else { break }
      index += 1
    }
    let spelling = Self.string(scalars[start..<index])
    let text = spelling.filter { $0 != "_" }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where text.lowercased().hasPrefix(prefix) {
      if let value = Int(text.dropFirst(2), radix: radix) { return String(value) }
    }
    guard text.allSatisfy({ "0123456789.eE+-".contains($0) }), Double(text) != nil else {
      throw ConfigurationError(place, "'\(spelling)' is not a number that is read")
    }
    return text
  }

  private mutating func text(isRaw: Bool, from place: ConfigurationPlace) throws -> String {
    guard let quote = peek() else { return "" }
    let isLong = peek(1) == quote && peek(2) == quote
    for _ in 0..<(isLong ? 3 : 1) { advance() }
    var text = String.UnicodeScalarView()
    while let scalar = peek() {
      if scalar == quote, !isLong || (peek(1) == quote && peek(2) == quote) {
        for _ in 0..<(isLong ? 3 : 1) { advance() }
        return String(text)
      }
      if scalar == "\n", !isLong { break }
      if scalar == "\\" {
        text.append(contentsOf: try escape(isRaw: isRaw, from: place))
      } else {
        text.append(scalar)
        advance()
      }
    }
    throw ConfigurationError(place, "a text that does not end")
  }

  private static let escapes: [Unicode.Scalar: Unicode.Scalar] = [
    "\\": "\\", "'": "'", "\"": "\"", "n": "\n", "t": "\t", "r": "\r", "a": "\u{7}", "b": "\u{8}", "f": "\u{C}",
    "v": "\u{B}",
  ]

  /// What a backslash and what follows it stand for.
  private mutating func escape(isRaw: Bool, from place: ConfigurationPlace) throws -> [Unicode.Scalar] {
    advance()
    guard let scalar = peek() else { return [] }
    let start = here
    advance()
    if isRaw { return ["\\", scalar] }
    if scalar == "\n" { return [] }
    if let plain = Self.escapes[scalar] { return [plain] }
    let digits = ["x": 2, "u": 4, "U": 8][scalar]
    if digits == nil, !("0"..."7").contains(scalar) {
      guard scalar != "N" else { throw ConfigurationError(start, "a character by its name is not read") }
      return ["\\", scalar]
    }
    var number = digits == nil ? String(scalar) : ""
    let radix = digits == nil ? 8 : 16
    while let next = peek(), number.count < digits ?? 3, Int(String(next), radix: radix) != nil {
      number.unicodeScalars.append(next)
      advance()
    }
    guard digits == nil || number.count == digits, let value = UInt32(number, radix: radix),
      let character = Unicode.Scalar(value)
    else { throw ConfigurationError(start, "this escape is not a character") }
    return [character]
  }

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool { scalar == "_" || scalar.properties.isAlphabetic }
  private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
  private static func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }
}
