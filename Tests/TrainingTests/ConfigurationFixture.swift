import Foundation
import Testing
import Training
import Yams

/// Configurations for tests: the quickstart one, changed.
enum ConfigurationFixture {
  static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  /// The quickstart configuration with `found`, which must be there exactly once, replaced.
  static func read(
    replacing found: String, with replacement: String, options: [String] = []
  ) throws -> ReadConfiguration {
    let parts = QuickstartConfiguration.text.components(separatedBy: found)
    try #require(parts.count == 2, "'\(found)' stands \(parts.count - 1) times")
    return try ReadConfiguration(text: parts.joined(separator: replacement), name: "c.yaml", options: options)
  }

  static func read(options: [String]) throws -> ReadConfiguration {
    try ReadConfiguration(text: QuickstartConfiguration.text, name: "c.yaml", options: options)
  }

  /// The message of the error that `read` throws, without the line number of the quickstart text.
  static func message(_ read: () throws -> ReadConfiguration) throws -> String {
    let error = try #require(throws: ConfigurationError.self) { _ = try read() }
    return error.description.replacing(/c\.yaml:\d+:/, with: "c.yaml:N:")
  }

  /// A configuration as Python's `json.dump` writes it: one line, all texts in quotes.
  static func json(_ yaml: String) throws -> String {
    func value(_ node: Node) throws -> Any {
      switch node {
      case .mapping(let pairs):
        try Dictionary(uniqueKeysWithValues: pairs.map { (try #require($0.key.string), try value($0.value)) })
      case .sequence(let elements): try elements.map(value)
      case .scalar(let scalar):
        [node.null as Any?, node.bool, node.int, node.float].compactMap { $0 }.first ?? scalar.string
      case .alias: ""  // Yams has put what it stands for in its place
      }
    }
    let object = try value(#require(try Yams.compose(yaml: yaml)))
    return String(decoding: try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys]), as: UTF8.self)
      .replacing(/([:,])(?=["\[{\d-]|true|false|null)/) { "\($0.1) " }
  }

  /// Calls `body` with a directory holding these files.
  static func withFiles<Result>(_ files: [String: String], _ body: (String) throws -> Result) throws -> Result {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("rcnn-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    for (name, text) in files {
      let url = directory.appendingPathComponent(name)
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: url, atomically: true, encoding: .utf8)
    }
    return try body(directory.path)
  }
}
