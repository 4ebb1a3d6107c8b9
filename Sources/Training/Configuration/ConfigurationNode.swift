import Foundation
import Yams

/// A text that configuration values come from: a file, or one `--cfg-options` argument.
public final class ConfigurationSource: Sendable {
  /// The file's path as the user gave it.
  let name: String
  let lines: [String]
  /// An option of the command line, where a line number says nothing.
  let isOption: Bool

  init(name: String, text: String) {
    self.name = name
    lines = text.components(separatedBy: "\n").map { $0.hasSuffix("\r") ? String($0.dropLast()) : $0 }
    isOption = false
  }

  init(option: String) {
    name = "--cfg-options"
    lines = [option]
    isOption = true
  }
}

/// Where a key or a value stands. Lines and columns count from 1, columns in Unicode scalars.
public struct ConfigurationPlace: Sendable {
  let source: ConfigurationSource
  let line: Int
  let column: Int

  /// `file.yaml:14:3`.
  public var description: String { source.isOption ? source.name : "\(source.name):\(line):\(column)" }
}

/// A YAML value that remembers where it was written.
public struct ConfigurationNode: Sendable {
  enum Content: Sendable {
    /// The text without its quotes.
    case scalar(String, isQuoted: Bool)
    case sequence([ConfigurationNode])
    case mapping([Entry])
  }
  struct Entry: Sendable {
    var key: String
    var place: ConfigurationPlace
    var value: ConfigurationNode
    /// A variable that the file, or one that is based on it, has used.
    var isUsedBelow = false

    /// Whether the value goes somewhere else, too: by its name, or by an anchor (`classes: &classes [cat, dog]`).
    var isUsed: Bool { isUsedBelow || isAnchored }

    private var isAnchored: Bool {
      let lines = place.source.lines
      guard place.line <= lines.count else { return false }
      let text = lines[place.line - 1].drop { $0 != ":" }.dropFirst()
      return text.drop { $0 == " " }.hasPrefix("&")
    }
  }

  var content: Content
  var place: ConfigurationPlace

  /// The entries of a mapping; empty for everything else.
  var entries: [Entry] {
    if case .mapping(let entries) = content { entries } else { [] }
  }

  var isMapping: Bool {
    if case .mapping = content { true } else { false }
  }

  /// YAML's null, and Python's `None`.
  var isNull: Bool {
    guard case .scalar(let text, false) = content else { return false }
    return ["", "~", "null", "Null", "NULL", "None"].contains(text)
  }

  /// The elements of a list; nil for everything else. `(8, 11)`, as Python writes a tuple, is a list too, also inside
  /// another list: `[(1333, 640), (1333, 800)]`, which YAML takes apart at the commas.
  var elements: [ConfigurationNode]? {
    switch content {
    case .sequence(let elements):
      guard elements.contains(where: { $0.unquotedText?.hasPrefix("(") ?? false }) else { return elements }
      return list(in: "[\(elements.map(\.summary).joined(separator: ", "))]") ?? elements
    case .scalar(let text, isQuoted: false) where text.hasPrefix("(") && text.hasSuffix(")"): return list(in: text)
    case .scalar, .mapping: return nil
    }
  }

  /// A scalar that stands without quotes.
  var unquotedText: String? {
    if case .scalar(let text, isQuoted: false) = content { text } else { nil }
  }

  /// The elements of a list in Python's notation, at this node's place; nil where they aren't numbers or quoted texts,
  /// as in the class name `(other)`.
  private func list(in text: String) -> [ConfigurationNode]? {
    let brackets = String(text.map { $0 == "(" ? "[" : $0 == ")" ? "]" : $0 })
    let list = try? ConfigurationNode.parse(brackets, source: place.source)
    guard let list, list.isOfNumbersAndQuotedTexts, case .sequence(let elements) = list.content else { return nil }
    return elements.map { $0.moved(to: place) }
  }

  private var isOfNumbersAndQuotedTexts: Bool {
    switch content {
    case .scalar(_, let isQuoted): isQuoted || Double(configuration: self) != nil
    case .sequence(let elements): elements.allSatisfy(\.isOfNumbersAndQuotedTexts)
    case .mapping: false
    }
  }

  private func moved(to place: ConfigurationPlace) -> ConfigurationNode {
    var node = self
    node.place = place
    if case .sequence(let elements) = content { node.content = .sequence(elements.map { $0.moved(to: place) }) }
    return node
  }

  /// The entry of a mapping's key.
  func entry(_ key: String) -> Entry? { entries.first { $0.key == key } }

  /// The value at a path such as `["data", "train", "pipeline", "2"]`.
  func value(at path: some Collection<String>) -> ConfigurationNode? {
    guard let key = path.first else { return self }
    if case .sequence(let elements) = content, let index = Int(key), elements.indices.contains(index) {
      return elements[index].value(at: path.dropFirst())
    }
    return entry(key)?.value.value(at: path.dropFirst())
  }

  /// Sets a mapping's key to a text.
  mutating func set(_ key: String, to text: String) {
    let value = ConfigurationNode(content: .scalar(text, isQuoted: true), place: place)
    content = .mapping(entries.filter { $0.key != key } + [Entry(key: key, place: place, value: value)])
  }

  /// The value for an error message: a scalar as written, a short list, or "a mapping".
  var summary: String {
    switch content {
    case .scalar(let text, let isQuoted): isQuoted ? "'\(text)'" : (text.isEmpty ? "null" : text)
    case .sequence(let elements) where elements.count <= 8:
      "[" + elements.map(\.summary).joined(separator: ", ") + "]"
    case .sequence(let elements): "a list of \(elements.count)"
    case .mapping: "a mapping"
    }
  }
}

extension ConfigurationNode {
  /// Reads one YAML document. Tags, such as the `!!python/tuple` that mmcv writes, are passed over.
  static func parse(_ text: String, source: ConfigurationSource, column: Int = 1) throws -> ConfigurationNode {
    let start = ConfigurationPlace(source: source, line: 1, column: column)
    do {
      guard let node = try Yams.compose(yaml: text) else {
        return ConfigurationNode(content: .mapping([]), place: start)
      }
      return try ConfigurationNode(node, source: source, column: column)
    } catch let error as YamlError {
      throw ConfigurationError(yaml: error, start: start)
    }
  }

  private init(_ node: Node, source: ConfigurationSource, column: Int) throws {
    place = Self.place(node, source, column)
    switch node {
    case .scalar(let scalar):
      content = .scalar(scalar.string, isQuoted: scalar.style != .plain)
    case .sequence(let elements):
      content = .sequence(try elements.map { try ConfigurationNode($0, source: source, column: column) })
    case .mapping(let pairs):
      content = .mapping(
        try pairs.map { key, value in
          let place = Self.place(key, source, column)
          guard case .scalar(let scalar) = key else {
            throw ConfigurationError(place, "a key must be a word, found a list or a mapping")
          }
          let value = try ConfigurationNode(value, source: source, column: column)
          return Entry(key: scalar.string, place: place, value: value)
        })
    case .alias:
      throw ConfigurationError(place, "an alias that names no value")
    }
  }

  private static func place(_ node: Node, _ source: ConfigurationSource, _ column: Int) -> ConfigurationPlace {
    ConfigurationPlace(source: source, line: node.mark?.line ?? 1, column: (node.mark?.column ?? 1) + column - 1)
  }

  /// The values in this one that are neither mappings nor long lists, by their dotted paths.
  /// - Parameter path: this value's.
  func leaves(of path: String) -> [(key: String, value: String)] {
    func inside(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
    switch content {
    case .mapping(let entries): return entries.flatMap { $0.value.leaves(of: inside($0.key)) }
    case .sequence(let elements) where elements.count > 8 || elements.contains(where: \.isMapping):
      return elements.enumerated().flatMap { $1.leaves(of: inside("\($0)")) }
    case .scalar, .sequence: return [(path, isNull ? "null" : summary)]
    }
  }

  /// The value as a YAML document that `parse` reads again to the same value.
  func yaml() throws -> String { try Yams.serialize(node: yamlNode, width: 120, allowUnicode: true) }

  private var yamlNode: Node {
    switch content {
    case .scalar(let text, let isQuoted):
      return isNull ? Node("null") : Node(text, .implicit, isQuoted ? .singleQuoted : .plain)
    case .sequence(let elements):
      return Node(elements.map(\.yamlNode), .implicit, elements.contains(where: \.isMapping) ? .block : .flow)
    case .mapping(let entries):
      return Node(entries.map { (Node($0.key), $0.value.yamlNode) }, .implicit, entries.isEmpty ? .flow : .block)
    }
  }
}
