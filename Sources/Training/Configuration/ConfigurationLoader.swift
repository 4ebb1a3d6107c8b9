import Foundation
import Primitives

/// Reads configuration files, in YAML, JSON or Python, and joins them with their bases by the rules of mmcv 1.3's `Config`: mappings merge key
/// by key, `_delete_: true` in a mapping replaces the base's instead, everything else replaces. A base's `null` gives way
/// to a mapping, where mmcv asks for `_delete_`. A file is looked for beside the one that names it, as there, and then
/// among those that come with the program.
struct ConfigurationLoader {
  /// Where a file is looked for that is not where it was said to be.
  private let shipped: ShippedConfigurations?
  /// The chain of files being read, innermost last.
  private var chain: [String] = []
  /// A line for each file that was taken from the shipped ones.
  private(set) var notices: [String] = []

  init(shipped: ShippedConfigurations?) { self.shipped = shipped }

  /// The file at `path` with its bases merged in.
  mutating func load(file path: String) throws -> ConfigurationNode {
    try load(path, in: "", namedAt: nil)
  }

  /// A text that is not in a file. Its `_base_`, if any, is relative to the current directory.
  mutating func load(text: String, name: String) throws -> ConfigurationNode {
    let text = ConfigurationVariables.quoted(text)
    let node = try ConfigurationNode.parse(text, source: ConfigurationSource(name: name, text: text))
    return try withBases(node, directory: "")
  }

  private mutating func load(
    _ name: String, in directory: String, namedAt place: ConfigurationPlace?
  ) throws -> ConfigurationNode {
    let path = try find(name, in: directory, namedAt: place)
    let identity = URL(fileURLWithPath: path).standardizedFileURL.path
    if let place, chain.contains(identity) {
      throw ConfigurationError(place, "'_base_' leads back to \(path), which is being read already")
    }
    let text = try Self.text(of: path, namedAt: place)
    chain.append(identity)
    defer { chain.removeLast() }
    let prepared = ConfigurationVariables.prepared(text, path: path)
    let source = ConfigurationSource(name: path, text: prepared)
    let node =
      try path.hasSuffix(".py")
      ? PythonReader.read(prepared, source: source) : ConfigurationNode.parse(prepared, source: source)
    return try withBases(node, directory: Folder.above(path))
  }

  /// The path of the file that is called so in a file of this folder, or on the command line.
  private mutating func find(
    _ name: String, in directory: String, namedAt place: ConfigurationPlace?
  ) throws -> String {
    let beside = name.hasPrefix("/") || directory.isEmpty ? name : "\(directory)/\(name)"
    if FileManager.default.fileExists(atPath: beside) { return beside }
    let own = shipped?.path(of: name)
    if let own, FileManager.default.fileExists(atPath: own) {
      let start = place.map { "\($0.description): notice: base \(name):" } ?? "\(name): notice:"
      notices.append("\(start) taken from the configurations that come with the program: \(own)")
      return own
    }
    let folder = Folder.above(beside)
    var searched = folder.isEmpty ? "the current directory" : folder
    if let own { searched += ", nor in \(Folder.above(own)), where those are that come with the program" }
    throw Self.failure(name, "no such file in \(searched)", namedAt: place, isMissing: true)
  }

  private static func text(of path: String, namedAt place: ConfigurationPlace?) throws -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw failure(path, "it is no file, or may not be read", namedAt: place, isMissing: true)
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw failure(path, "the text is not UTF-8", namedAt: place, isMissing: false)
    }
    return text
  }

  private static func failure(
    _ file: String, _ message: String, namedAt place: ConfigurationPlace?, isMissing: Bool
  ) -> ConfigurationError {
    guard let place else { return ConfigurationError(file: file, message, isMissingFile: isMissing) }
    return ConfigurationError(place, "base \(file): \(message)", isMissingFile: isMissing)
  }

  /// The content of a file, laid over its bases.
  private mutating func withBases(_ node: ConfigurationNode, directory: String) throws -> ConfigurationNode {
    guard case .mapping(var entries) = node.content else {
      throw ConfigurationError(node.place, "a configuration is a mapping of keys to values, found \(node.summary)")
    }
    guard let index = entries.firstIndex(where: { $0.key == "_base_" }) else {
      var nothing = ConfigurationNode(content: .mapping([]), place: node.place)
      return try ConfigurationVariables.substituted(node, from: &nothing).withoutDeleteMarks
    }
    var base = try loadBases(entries.remove(at: index).value, directory: directory)
    let child = ConfigurationNode(content: .mapping(entries), place: node.place)
    let substituted = try ConfigurationVariables.substituted(child, from: &base)
    return try base.merging(substituted, path: "")
  }

  /// All bases side by side; as in mmcv, no two of them may hold the same top-level key.
  private mutating func loadBases(_ node: ConfigurationNode, directory: String) throws -> ConfigurationNode {
    var merged: [ConfigurationNode.Entry] = []
    let names = if case .sequence(let elements) = node.content { elements } else { [node] }
    for nameNode in names {
      guard let name = String(configuration: nameNode) else {
        throw ConfigurationError(nameNode.place, "'_base_' is \(nameNode.summary), expected a file or a list of files")
      }
      for entry in try load(name, in: directory, namedAt: nameNode.place).entries {
        if let other = merged.first(where: { $0.key == entry.key }) {
          throw ConfigurationError(
            entry.place, "key '\(entry.key)' is also defined by another base, at \(other.place.description)")
        }
        merged.append(entry)
      }
    }
    return ConfigurationNode(content: .mapping(merged), place: node.place)
  }
}

extension ConfigurationNode {
  /// This mapping with another one laid over it.
  /// - Parameter path: this mapping's dotted path, for messages.
  func merging(_ child: ConfigurationNode, path: String) throws -> ConfigurationNode {
    var merged = entries
    for entry in child.entries {
      var entry = entry
      let index = merged.firstIndex { $0.key == entry.key }
      if entry.value.isMapping, !entry.value.replaces, let index, !merged[index].value.isNull {
        let name = path.isEmpty ? entry.key : "\(path).\(entry.key)"
        guard merged[index].value.isMapping else {
          throw ConfigurationError(
            entry.place, "'\(name)' is a mapping here and \(merged[index].value.summary) in the base",
            hint: "'_delete_: true' in the mapping replaces the base's value")
        }
        entry.value = try merged[index].value.merging(entry.value, path: name)
      } else {
        entry.value = entry.value.withoutDeleteMarks
      }
      if let index { merged[index] = entry } else { merged.append(entry) }
    }
    return ConfigurationNode(content: .mapping(merged), place: child.place)
  }

  private var replaces: Bool { entry("_delete_").flatMap { Bool(configuration: $0.value) } ?? false }

  var withoutDeleteMarks: ConfigurationNode {
    var node = self
    switch content {
    case .scalar: break
    case .sequence(let elements): node.content = .sequence(elements.map(\.withoutDeleteMarks))
    case .mapping(let entries):
      node.content = .mapping(
        entries.filter { $0.key != "_delete_" }.map {
          var entry = $0
          entry.value = entry.value.withoutDeleteMarks
          return entry
        })
    }
    return node
  }
}
