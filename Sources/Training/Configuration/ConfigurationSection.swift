/// One mapping of the configuration while it is read. It remembers the keys that were asked for; `close` reports the
/// others.
final class ConfigurationSection {
  /// The dotted path, empty at the top level.
  let path: String
  private let node: ConfigurationNode
  /// The place of the key that leads here.
  private let place: ConfigurationPlace
  private let notices: ConfigurationNotices
  private var known: [String] = []

  init(_ node: ConfigurationNode, path: String, place: ConfigurationPlace, notices: ConfigurationNotices) throws {
    (self.node, self.path, self.place, self.notices) = (node, path, place, notices)
    guard node.isMapping else {
      throw ConfigurationError(node.place, "'\(path)' is \(node.summary), expected a mapping")
    }
  }

  /// Throws for the first key that nobody asked for.
  func close() throws {
    for entry in node.entries where !known.contains(entry.key) {
      if let key = nearest(to: entry.key, among: known, part: 3) {
        throw unknown(entry, hint: "did you mean '\(key)'?")
      }
      throw unknown(entry, hint: "known keys: " + Set(known).sorted().joined(separator: ", "))
    }
  }

  /// Throws for the first key that nobody asked for and that is almost a known one. The others get a notice, unless
  /// they are variables that are used further down.
  func close(noticing message: String) throws {
    for entry in node.entries where !known.contains(entry.key) {
      if let key = nearest(to: entry.key, among: known, part: 4) {
        throw unknown(entry, hint: "did you mean '\(key)'?")
      }
      if !entry.isUsed { notice(entry, message) }
    }
  }

  private func unknown(_ entry: ConfigurationNode.Entry, hint: String) -> ConfigurationError {
    let owner = path.isEmpty ? "at the top level" : "in '\(path)'"
    return ConfigurationError(entry.place, "unknown key '\(entry.key)' \(owner)", hint: hint)
  }

  /// The node of a key; nil where it is absent or null.
  func node(_ key: String) -> ConfigurationNode? {
    known.append(key)
    return node.entry(key).flatMap { $0.value.isNull ? nil : $0.value }
  }

  /// Whether the key is written, be it as null.
  func has(_ key: String) -> Bool { node.entry(key) != nil }

  func name(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// An error at a key's value, or at the section where the key is absent. Starts with the key's name.
  func error(_ key: String, _ message: String, hint: String? = nil) -> ConfigurationError {
    ConfigurationError(node.entry(key)?.value.place ?? place, "'\(name(of: key))' \(message)", hint: hint)
  }

  /// "'x' is 3, expected …".
  func mismatch(_ key: String, expected: String) -> ConfigurationError {
    let value = node.entry(key)?.value
    let isCutTuple = value?.unquotedText.map { $0.hasPrefix("(") && !$0.hasSuffix(")") } ?? false
    return error(
      key, "is \(value?.summary ?? "absent"), expected \(expected)",
      hint: isCutTuple ? "inside braces YAML cuts a Python tuple at its commas: write a list, [8, 11]" : nil)
  }

  // MARK: Values

  func optional<Value: ConfigurationValue>(_ key: String, as: Value.Type = Value.self) throws -> Value? {
    guard let value = node(key) else { return nil }
    guard let read = Value(configuration: value) else { throw mismatch(key, expected: Value.expected) }
    return read
  }

  /// Leaves `target` as it is where the key is absent or null.
  func read<Value: ConfigurationValue>(_ key: String, into target: inout Value) throws {
    if let value: Value = try optional(key) { target = value }
  }

  func required<Value: ConfigurationValue>(_ key: String, as: Value.Type = Value.self) throws -> Value {
    if let value: Value = try optional(key) { return value }
    throw missing(key, expected: Value.expected)
  }

  /// Names the misspelt key where there is one.
  func missing(_ key: String, expected: String) -> ConfigurationError {
    for entry in node.entries where !known.contains(entry.key) && nearest(to: entry.key, among: [key], part: 4) != nil {
      return unknown(entry, hint: "did you mean '\(key)'?")
    }
    let owner = path.isEmpty ? "the configuration" : "'\(path)'"
    return ConfigurationError(place, "\(owner) lacks '\(key)' (\(expected))")
  }

  /// A single value, or a pair of them, as in `output_size: 7` and `[7, 7]`.
  func pair<Value: ConfigurationValue>(_ key: String, as: Value.Type = Value.self) throws -> (Value, Value)? {
    guard let node = node(key) else { return nil }
    if let value = Value(configuration: node) { return (value, value) }
    guard let values = [Value](configuration: node), values.count == 2 else {
      throw mismatch(key, expected: "\(Value.expected) or a pair of them")
    }
    return (values[0], values[1])
  }

  func check(_ condition: Bool, _ key: String, expected: @autoclosure () -> String) throws {
    if !condition { throw mismatch(key, expected: expected()) }
  }

  // MARK: Parts

  func section<Part>(_ key: String, _ read: (ConfigurationSection) throws -> Part) throws -> Part? {
    guard let value = node(key), let entry = node.entry(key) else { return nil }
    let section = try ConfigurationSection(value, path: name(of: key), place: entry.place, notices: notices)
    let part = try read(section)
    try section.close()
    return part
  }

  func requiredSection<Part>(_ key: String, _ read: (ConfigurationSection) throws -> Part) throws -> Part {
    if let part = try section(key, read) { return part }
    throw missing(key, expected: "a mapping")
  }

  /// Each mapping of a list, in order.
  func sections<Part>(_ key: String, _ read: (ConfigurationSection) throws -> Part) throws -> [Part]? {
    guard let list = node(key) else { return nil }
    guard let elements = list.elements else { throw mismatch(key, expected: "a list of mappings") }
    return try elements.enumerated().map { index, element in
      let path = "\(name(of: key)).\(index)"
      let section = try ConfigurationSection(element, path: path, place: element.place, notices: notices)
      let part = try read(section)
      try section.close()
      return part
    }
  }

  /// The mappings of a list of `count`, or one mapping that stands for all of them.
  func sections<Part>(
    _ key: String, repeating count: Int, _ read: (ConfigurationSection) throws -> Part
  ) throws -> [Part] {
    let expected = "a mapping, or a list of \(count)"
    guard let node = node(key) else { throw missing(key, expected: expected) }
    guard node.elements != nil else { return Array(repeating: try requiredSection(key, read), count: count) }
    try check(node.elements?.count == count, key, expected: expected)
    return try sections(key, read) ?? []
  }

  // MARK: What mmdetection knows and this program does not do

  /// The `type`, one of those that are supported.
  func type(_ supported: String..., default defaultType: String? = nil) throws -> String {
    try type(anyOf: supported, default: defaultType)
  }

  func type(anyOf supported: [String], default defaultType: String? = nil) throws -> String {
    guard let type: String = try optional("type") ?? defaultType else { throw missing("type", expected: "a text") }
    if supported.contains(type) { return type }
    let known = supported.joined(separator: ", ")
    throw error("type", "is '\(type)', which is not supported yet", hint: "supported: \(known)")
  }

  /// Keys that must be absent, null, false or empty.
  func unsupported(_ keys: String...) throws {
    for key in keys {
      guard let value = node(key), Bool(configuration: value) != false else { continue }
      if case .sequence(let elements) = value.content, elements.isEmpty { continue }
      throw error(key, "is not supported yet", hint: "leave it out")
    }
  }

  /// A key whose only supported value is `value`, mmdetection's default.
  func only<Value: ConfigurationValue & Equatable>(_ key: String, _ value: Value) throws {
    if let found: Value = try optional(key), found != value {
      throw error(
        key, "is \(node.entry(key)?.value.summary ?? ""), which is not supported yet", hint: "supported: \(value)")
    }
  }

  /// Keys that have been read already, or whose meaning lies elsewhere.
  func accept(_ keys: String...) { known += keys }

  /// The same for all keys that nobody asked for.
  func ignoreRest(because reason: String) {
    for entry in node.entries where !known.contains(entry.key) {
      known.append(entry.key)
      notice(entry, "has no meaning here: \(reason)")
    }
  }

  /// A key that has no meaning here. Its usual value, which asks for what happens anyway, needs no notice.
  func ignore<Value: ConfigurationValue & Equatable>(_ key: String, unless usual: Value, because reason: String) {
    known.append(key)
    guard let entry = node.entry(key), Value(configuration: entry.value) != usual else { return }
    notice(entry, "has no meaning here: \(reason)")
  }

  /// Keys that mmdetection knows and that have no meaning here: one notice each, unless they are null.
  func ignore(_ keys: String..., because reason: String) {
    known += keys
    for entry in node.entries where keys.contains(entry.key) && !entry.value.isNull {
      notice(entry, "has no meaning here: \(reason)")
    }
  }

  /// Variables of a Python file: as `ignore`, but not those that are used further down.
  func ignoreVariables(_ keys: String...) {
    known += keys
    for entry in node.entries where keys.contains(entry.key) && !entry.value.isNull && !entry.isUsed {
      notice(
        entry, "has no meaning here: a variable of the Python file; its value already stands where it was used")
    }
  }

  /// Something that the user should know about a key that is not written.
  func notice(absent key: String, _ message: String) {
    notices.lines.append("\(place.description): notice: '\(name(of: key))' \(message)")
  }

  /// A key that is read, and whose user should know something.
  func notice(_ key: String, _ message: String) {
    if let entry = node.entry(key) { notice(entry, message) }
  }

  private func notice(_ entry: ConfigurationNode.Entry, _ message: String) {
    notices.lines.append("\(entry.place.description): notice: '\(name(of: entry.key))' \(message)")
  }
}

/// Where the sections of one configuration put their notices.
final class ConfigurationNotices {
  var lines: [String] = []
}
