/// A mapping in mmdetection 3's words while it is turned into 2.11's: keys are taken out of it, and what nobody takes stays,
/// for the reader to complain about at its place.
struct NewerPart {
  private(set) var node: ConfigurationNode
  let path: String
  let notices: ConfigurationNotices

  /// - Throws: `ConfigurationError` where the node is no mapping.
  init(_ node: ConfigurationNode, path: String, notices: ConfigurationNotices) throws {
    guard node.isMapping else {
      throw ConfigurationError(node.place, "'\(path)' is \(node.summary), expected a mapping")
    }
    (self.node, self.path, self.notices) = (node, path, notices)
  }

  private func name(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  func has(_ key: String) -> Bool { node.entry(key) != nil }

  func value(_ key: String) -> ConfigurationNode? { node.entry(key)?.value }

  /// The value of a key, which is gone then; nil where it is absent or null.
  mutating func take(_ key: String) -> ConfigurationNode? {
    guard let entry = node.entry(key) else { return nil }
    node.content = .mapping(node.entries.filter { $0.key != key })
    return entry.value.isNull ? nil : entry.value
  }

  /// As `take`, as a part by itself.
  mutating func takePart(_ key: String) throws -> NewerPart? {
    try take(key).map { try NewerPart($0, path: name(of: key), notices: notices) }
  }

  /// The text of a key, which is gone then.
  mutating func takeText(_ key: String) -> String? { take(key).flatMap(String.init(configuration:)) }

  mutating func set(_ key: String, to value: ConfigurationNode?) {
    guard let value else { return }
    let entry = ConfigurationNode.Entry(key: key, place: value.place, value: value)
    node.content = .mapping(node.entries.filter { $0.key != key } + [entry])
  }

  mutating func set(_ key: String, to text: String, isQuoted: Bool = false) {
    set(key, to: ConfigurationNode(content: .scalar(text, isQuoted: isQuoted), place: node.place))
  }

  mutating func rename(_ key: String, to older: String) { set(older, to: take(key)) }

  /// Keys that have no meaning here.
  mutating func drop(_ keys: String..., because reason: String? = nil) {
    for key in keys {
      guard let entry = node.entry(key) else { continue }
      if take(key) != nil, let reason { notice(entry.place, key, "has no meaning here: \(reason)") }
    }
  }

  func notice(_ place: ConfigurationPlace, _ key: String, _ message: String) {
    notices.lines.append("\(place.description): notice: '\(name(of: key))' \(message)")
  }

  /// Takes a key that may have one value alone.
  mutating func require(_ key: String, _ allowed: String...) throws {
    guard let value = take(key) else { return }
    if let text = String(configuration: value), allowed.contains(text) { return }
    throw ConfigurationError(
      value.place, "'\(name(of: key))' is \(value.summary), which has no counterpart in mmdetection 2.11",
      hint: "supported: \(allowed.joined(separator: ", "))")
  }

  /// Takes a key that must be absent, null or false.
  mutating func refuse(_ keys: String...) throws {
    for key in keys {
      guard let value = take(key), Bool(configuration: value) != false else { continue }
      throw ConfigurationError(
        value.place, "'\(name(of: key))' has no counterpart in mmdetection 2.11", hint: "leave it out")
    }
  }

  /// Everything in it must have been taken.
  func close() throws {
    guard let rest = node.entries.first else { return }
    throw ConfigurationError(rest.place, "unknown key '\(rest.key)' in '\(path)'")
  }
}

extension ConfigurationNode {
  /// An empty mapping at this node's place.
  var emptied: ConfigurationNode { ConfigurationNode(content: .mapping([]), place: place) }
}
