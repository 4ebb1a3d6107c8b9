import Foundation
import Primitives

/// The variables between `{{` and `}}` that mmcv 1.3's `Config` knows: `{{ fileDirname }}` and its like stand for parts of
/// the file's path, `{{ _base_.model.backbone }}` for a value of the bases.
enum ConfigurationVariables {
  /// The text with the file's path in it, and with quotes around what stands for a base's value, so that YAML and Python
  /// read it as a text.
  static func prepared(_ text: String, path: String) -> String {
    guard text.contains("{{") else { return text }
    let file = URL(fileURLWithPath: path).standardizedFileURL.path
    let name = file.split(separator: "/").last.map(String.init) ?? ""
    let stem = ReadConfiguration.stem(of: file)
    let parts = [
      "fileDirname": Folder.above(file), "fileBasename": name, "fileBasenameNoExtension": stem,
      "fileExtname": String(name.dropFirst(stem.count)),
    ]
    return quoted(text.replacing(/\{\{\s*(file[A-Za-z]+)\s*\}\}/) { parts[String($0.1)] ?? String($0.0) })
  }

  /// The text with quotes around what stands for a base's value.
  static func quoted(_ text: String) -> String {
    guard text.contains("{{") else { return text }
    return text.replacing(/\{\{\s*_base_\.([\w.]+)\s*\}\}/) { "\"{{_base_.\($0.1)}}\"" }
  }

  /// Puts the bases' values in their places, and notes at the bases' keys that they are used.
  static func substituted(
    _ node: ConfigurationNode, from bases: inout ConfigurationNode
  ) throws -> ConfigurationNode {
    var node = node
    switch node.content {
    case .scalar(let text, _):
      guard let start = text.range(of: "{{_base_.") else { return node }
      let isWhole = start.lowerBound == text.startIndex && text.hasSuffix("}}") && text.count(of: "{{") == 1
      guard isWhole else {
        throw ConfigurationError(
          node.place, "'{{_base_.…}}' stands for a whole value, without quotes and without anything beside it")
      }
      let keys = text[start.upperBound...].dropLast(2).split(separator: ".").map(String.init)
      guard let value = bases.value(at: keys) else {
        throw ConfigurationError(node.place, "'_base_' has no '\(keys.joined(separator: "."))'")
      }
      bases.markUsed(keys[0])
      return value
    case .sequence(let elements): node.content = .sequence(try elements.map { try substituted($0, from: &bases) })
    case .mapping(let entries):
      node.content = .mapping(
        try entries.map {
          var entry = $0
          entry.value = try substituted($0.value, from: &bases)
          return entry
        })
    }
    return node
  }
}

extension String {
  fileprivate func count(of part: String) -> Int { components(separatedBy: part).count - 1 }
}

extension ConfigurationNode {
  fileprivate mutating func markUsed(_ key: String) {
    content = .mapping(
      entries.map { entry in
        var entry = entry
        if entry.key == key { entry.isUsedBelow = true }
        return entry
      })
  }
}
