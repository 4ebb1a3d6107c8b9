/// One `--cfg-options` argument, `KEY=VALUE`: a dotted key whose parts are keys of mappings or indices of lists, and a
/// value with mmcv's rules: a number, true or false, null, a list (`1,2`, `[1,2]`, `(1,2)`, nested), else a string.
struct ConfigurationOption {
  let keys: [(name: String, place: ConfigurationPlace)]
  let value: ConfigurationNode

  init(_ text: String) throws {
    let source = ConfigurationSource(option: text)
    func place(_ column: Int) -> ConfigurationPlace {
      ConfigurationPlace(source: source, line: 1, column: column)
    }
    guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
      throw ConfigurationError(place(1), "expected KEY=VALUE")
    }
    var keys: [(name: String, place: ConfigurationPlace)] = []
    var column = 1
    for part in text[..<equals].split(separator: ".", omittingEmptySubsequences: false) {
      guard !part.isEmpty else { throw ConfigurationError(place(column), "a part of the dotted key is empty") }
      keys.append((String(part), place(column)))
      column += part.count + 1
    }
    self.keys = keys
    value = try Self.value(String(text[text.index(after: equals)...]), source: source, column: column)
  }

  private static func value(
    _ text: String, source: ConfigurationSource, column: Int
  ) throws -> ConfigurationNode {
    if let first = text.first, "[(".contains(first) {
      let list = String(text.map { $0 == "(" ? "[" : $0 == ")" ? "]" : $0 })
      return try ConfigurationNode.parse(list, source: source, column: column)
    }
    if let first = text.first, "'\"{".contains(first) {
      return try ConfigurationNode.parse(text, source: source, column: column)
    }
    var start = column
    let elements = text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      defer { start += part.count + 1 }
      let place = ConfigurationPlace(source: source, line: 1, column: start)
      return ConfigurationNode(content: .scalar(String(part), isQuoted: false), place: place)
    }
    guard elements.count > 1 else { return elements[0] }
    return ConfigurationNode(content: .sequence(elements), place: elements[0].place)
  }

  /// The configuration with this option's value in its place.
  func applied(to root: ConfigurationNode) throws -> ConfigurationNode { try set(0, in: root) }

  private func set(_ depth: Int, in node: ConfigurationNode) throws -> ConfigurationNode {
    guard depth < keys.count else { return value }
    let (key, place) = keys[depth]
    var node = node
    switch node.content {
    case .mapping(var entries):
      if let index = entries.firstIndex(where: { $0.key == key }) {
        entries[index].value = try set(depth + 1, in: entries[index].value)
        entries[index].place = place
      } else {
        let empty = ConfigurationNode(content: .mapping([]), place: place)
        entries.append(.init(key: key, place: place, value: try set(depth + 1, in: empty)))
      }
      node.content = .mapping(entries)
    case .sequence(var elements):
      guard let index = Int(key), elements.indices.contains(index) else {
        throw ConfigurationError(place, "'\(path(depth))' is a list of \(elements.count), expected an index below that")
      }
      elements[index] = try set(depth + 1, in: elements[index])
      node.content = .sequence(elements)
    case .scalar:
      guard node.isNull else {
        throw ConfigurationError(place, "'\(path(depth))' is \(node.summary) and has no key '\(key)'")
      }
      return try set(depth, in: ConfigurationNode(content: .mapping([]), place: place))
    }
    return node
  }

  private func path(_ depth: Int) -> String { keys[..<depth].map(\.name).joined(separator: ".") }
}
