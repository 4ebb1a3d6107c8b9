/// Reads a Python file as data, for configurations as mmdetection writes them: literals, `dict(...)`, names that are
/// assigned in the same file, `name['key']`, `**name` inside a dict, and sums and products of them. Everything else is
/// refused with its place, and nothing is run.
///
/// As in mmcv's `Config`, what the file assigns becomes the configuration; names that begin with `__` are left out.
struct PythonReader {
  static let hint =
    "a Python file is read as data: literals, dict(...), names assigned above, [key], + - * /; nothing is run"

  /// Lists and dictionaries inside each other, and brackets and signs, at most.
  private static let deepest = 100
  /// Values of the whole file at most, counted again wherever a name is used.
  private static let mostValues = 1_000_000

  private let tokens: [PythonToken]
  private var index = 0
  private var depth = 0
  private var values = 0
  private var variables: [String: Variable] = [:]
  /// The names in the order in which they were first assigned.
  private var order: [String] = []

  private struct Variable {
    var node: ConfigurationNode
    var place: ConfigurationPlace
    /// How many values it has inside.
    var count: Int
    var isUsed = false
  }

  /// The file as a mapping of the names that it assigns.
  /// - Throws: `ConfigurationError`.
  static func read(_ text: String, source: ConfigurationSource) throws -> ConfigurationNode {
    var reader = PythonReader(tokens: try PythonLexer.tokens(of: text, source: source))
    while reader.tokens[reader.index].kind != .end { try reader.readStatement() }
    let entries = reader.order.filter { !$0.hasPrefix("__") }.compactMap { name in
      reader.variables[name].map {
        ConfigurationNode.Entry(key: name, place: $0.place, value: $0.node, isUsedBelow: $0.isUsed)
      }
    }
    return ConfigurationNode(
      content: .mapping(entries), place: ConfigurationPlace(source: source, line: 1, column: 1))
  }

  private init(tokens: [PythonToken]) { self.tokens = tokens }

  // MARK: Tokens

  private var token: PythonToken { tokens[index] }

  private func isNext(_ symbol: String) -> Bool { token.kind == .symbol(symbol) }

  private mutating func take(_ symbol: String) -> Bool {
    guard isNext(symbol) else { return false }
    index += 1
    return true
  }

  private mutating func expect(_ symbol: String) throws {
    if !take(symbol) { throw unexpected("expected '\(symbol)'") }
  }

  private func unexpected(_ expectation: String) -> ConfigurationError {
    let found =
      switch token.kind {
      case .end: "the file's end"
      case .newline: "the line's end"
      default: token.spelling.count <= 40 ? token.spelling : "\(token.spelling.prefix(40))…"
      }
    return ConfigurationError(token.place, "\(expectation), found \(found)", hint: Self.hint)
  }

  private func node(_ content: ConfigurationNode.Content, at place: ConfigurationPlace) -> ConfigurationNode {
    ConfigurationNode(content: content, place: place)
  }

  // MARK: Statements

  private mutating func readStatement() throws {
    if token.kind == .newline {
      index += 1
      return
    }
    guard token.place.column == 1 || (index > 0 && tokens[index - 1].spelling == ";") else {
      throw unexpected("a statement begins in the first column")
    }
    if case .text = token.kind {
      _ = try readAtom()
    } else {
      try readAssignment()
    }
    guard token.kind == .newline || token.kind == .end else { throw unexpected("expected the end of the line") }
  }

  /// `a = b = value`.
  private mutating func readAssignment() throws {
    var names: [PythonToken] = []
    while case .name = token.kind, tokens[index + 1].kind == .symbol("=") {
      names.append(token)
      index += 2
    }
    guard !names.isEmpty else { throw unexpected("expected 'name = value'") }
    let before = values
    let value = try readTuple(until: { $0 == .newline || $0 == .end })
    for name in names {
      try refuseKeyword(name)
      if variables[name.spelling] == nil { order.append(name.spelling) }
      variables[name.spelling] = Variable(node: value, place: name.place, count: values - before)
    }
  }

  private static let keywords: Set = [
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
    "return", "try", "while", "with", "yield", "True", "False", "None",
  ]

  private func refuseKeyword(_ name: PythonToken) throws {
    guard Self.keywords.contains(name.spelling) else { return }
    throw ConfigurationError(name.place, "'\(name.spelling)' can't be a name")
  }

  // MARK: Values

  /// A value, or several with commas between them, which are a tuple.
  private mutating func readTuple(until isEnd: (PythonToken.Kind) -> Bool) throws -> ConfigurationNode {
    let place = token.place
    let first = try readSum()
    guard isNext(",") else { return first }
    var elements = [first]
    while take(","), !isEnd(token.kind) { elements.append(try readSum()) }
    return node(.sequence(elements), at: place)
  }

  private mutating func readSum() throws -> ConfigurationNode {
    var value = try readProduct()
    while isNext("+") || isNext("-") {
      let symbol = token
      index += 1
      value = try PythonArithmetic.combine(value, symbol, readProduct())
    }
    return value
  }

  private mutating func readProduct() throws -> ConfigurationNode {
    var value = try readSigned()
    while isNext("*") || isNext("/") || isNext("//") {
      let symbol = token
      index += 1
      value = try PythonArithmetic.combine(value, symbol, readSigned())
      try count(value.size, at: symbol.place)
    }
    return value
  }

  private mutating func readSigned() throws -> ConfigurationNode {
    guard isNext("-") || isNext("+") else { return try readElement() }
    let symbol = token
    index += 1
    return try nested { try PythonArithmetic.signed(symbol, $0.readSigned()) }
  }

  /// Goes one level down, which is not endless.
  private mutating func nested(
    _ read: (inout PythonReader) throws -> ConfigurationNode
  ) throws -> ConfigurationNode {
    guard depth < Self.deepest else {
      throw ConfigurationError(token.place, "more than \(Self.deepest) levels inside each other are not read")
    }
    depth += 1
    defer { depth -= 1 }
    return try read(&self)
  }

  private mutating func count(_ more: Int, at place: ConfigurationPlace) throws {
    values += more
    guard values <= Self.mostValues else {
      throw ConfigurationError(place, "the file comes to more than \(Self.mostValues) values")
    }
  }

  /// A value, or a part of one: `value['key']`, `value[0]`.
  private mutating func readElement() throws -> ConfigurationNode {
    var value = try readAtom()
    while isNext("[") {
      let bracket = token
      index += 1
      let key = try nested { try $0.readSum() }
      try expect("]")
      guard let part = Self.part(key, of: value) else {
        throw ConfigurationError(bracket.place, "\(value.summary) has no [\(key.summary)]", hint: Self.hint)
      }
      value = part
    }
    return value
  }

  private static func part(_ key: ConfigurationNode, of value: ConfigurationNode) -> ConfigurationNode? {
    switch (value.content, key.content) {
    case (.mapping, .scalar(let name, true)): return value.entry(name)?.value
    case (.sequence(let elements), .scalar(let text, false)):
      guard let index = Int(text) else { return nil }
      let place = index < 0 ? elements.count + index : index
      return elements.indices.contains(place) ? elements[place] : nil
    default: return nil
    }
  }

  private mutating func readAtom() throws -> ConfigurationNode {
    let start = token
    try count(1, at: start.place)
    switch start.kind {
    case .number(let text):
      index += 1
      return node(.scalar(text, isQuoted: false), at: start.place)
    case .text(var text):
      index += 1
      while case .text(let more) = token.kind {
        text += more
        index += 1
      }
      return node(.scalar(text, isQuoted: true), at: start.place)
    case .name(let name): return try readName(name)
    case .symbol("["): return try nested { try $0.readList() }
    case .symbol("("): return try nested { try $0.readBrackets() }
    case .symbol("{"): return try nested { try $0.readDictionary() }
    case .symbol, .newline, .end: throw unexpected("expected a value")
    }
  }

  private mutating func readName(_ name: String) throws -> ConfigurationNode {
    let start = token
    let constants = ["None": "null", "True": "true", "False": "false"]
    if let constant = constants[name] {
      index += 1
      return node(.scalar(constant, isQuoted: false), at: start.place)
    }
    guard let variable = variables[name] else {
      if name == "dict", tokens[index + 1].kind == .symbol("(") {
        index += 2
        return try nested { try $0.readCall(at: start.place) }
      }
      if Self.keywords.contains(name) { throw unexpected("expected a value") }
      let isCall = tokens[index + 1].kind == .symbol("(")
      throw ConfigurationError(
        start.place, isCall ? "'\(name)(…)' is a call, which is not run" : "the name '\(name)' is not assigned above",
        hint: Self.hint)
    }
    index += 1
    variables[name]?.isUsed = true
    try count(variable.count, at: start.place)
    return variable.node
  }

  private mutating func readList() throws -> ConfigurationNode {
    let place = token.place
    index += 1
    var elements: [ConfigurationNode] = []
    while !isNext("]") {
      elements.append(try readSum())
      guard take(",") else { break }
    }
    try expect("]")
    return node(.sequence(elements), at: place)
  }

  /// A tuple, or a value in brackets.
  private mutating func readBrackets() throws -> ConfigurationNode {
    let place = token.place
    index += 1
    if take(")") { return node(.sequence([]), at: place) }
    let value = try readTuple(until: { $0 == .symbol(")") })
    try expect(")")
    return value
  }

  /// `{'key': value, **other}`.
  private mutating func readDictionary() throws -> ConfigurationNode {
    let place = token.place
    index += 1
    var entries: [ConfigurationNode.Entry] = []
    while !isNext("}") {
      if isNext("**") {
        for entry in try readSpread() { Self.set(entry, in: &entries) }
      } else {
        let key = try readSum()
        guard case .scalar(let text, _) = key.content else {
          throw ConfigurationError(key.place, "a key is a word, found \(key.summary)")
        }
        try expect(":")
        Self.set(ConfigurationNode.Entry(key: text, place: key.place, value: try readSum()), in: &entries)
      }
      guard take(",") else { break }
    }
    try expect("}")
    return node(.mapping(entries), at: place)
  }

  /// `dict(key=value, **other)`, behind its bracket.
  private mutating func readCall(at place: ConfigurationPlace) throws -> ConfigurationNode {
    var entries: [ConfigurationNode.Entry] = []
    while !isNext(")") {
      if isNext("**") {
        let place = token.place
        for entry in try readSpread() {
          guard !entries.contains(where: { $0.key == entry.key }) else {
            throw ConfigurationError(place, "'\(entry.key)' is given twice")
          }
          entries.append(entry)
        }
      } else {
        let key = token
        guard case .name(let name) = key.kind, tokens[index + 1].kind == .symbol("=") else {
          throw unexpected("expected 'key=value' in dict(...)")
        }
        try refuseKeyword(key)
        guard !entries.contains(where: { $0.key == name }) else {
          throw ConfigurationError(key.place, "'\(name)' is given twice")
        }
        index += 2
        entries.append(.init(key: name, place: key.place, value: try readSum()))
      }
      guard take(",") else { break }
    }
    try expect(")")
    return node(.mapping(entries), at: place)
  }

  /// The entries of `**value`.
  private mutating func readSpread() throws -> [ConfigurationNode.Entry] {
    index += 1
    let value = try readElement()
    guard value.isMapping else { throw ConfigurationError(value.place, "'**' wants a dict, found \(value.summary)") }
    return value.entries
  }

  private static func set(_ entry: ConfigurationNode.Entry, in entries: inout [ConfigurationNode.Entry]) {
    if let index = entries.firstIndex(where: { $0.key == entry.key }) {
      entries[index] = entry
    } else {
      entries.append(entry)
    }
  }
}
