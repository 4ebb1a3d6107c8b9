import Foundation
import Primitives

/// What was measured in a work directory, in order: its `validations.json`. A checkpoint is saved before it is measured,
/// so that it can't say so itself.
struct ValidationRecord: Codable, Equatable {
  struct Entry: Codable, Equatable {
    let epoch: Int
    let iteration: Int
    /// By mmdetection's names.
    let metrics: [String: Double]
  }
  private(set) var entries: [Entry] = []

  private static let name = "validations.json"

  init() {}

  /// Of the run that goes on at an iteration: what was measured later belongs to steps that are taken again. Empty where
  /// there is none, or none that can be read.
  init(in workDir: String, until iteration: Int) {
    guard let data = FileManager.default.contents(atPath: "\(workDir)/\(Self.name)"),
      let record = try? JSONDecoder().decode(ValidationRecord.self, from: data)
    else { return }
    entries = record.entries.filter { $0.iteration <= iteration }
  }

  func entry(at iteration: Int) -> Entry? { entries.last { $0.iteration == iteration } }

  /// In place of an earlier one of the same iteration.
  mutating func add(_ entry: Entry) { entries = entries.filter { $0.iteration < entry.iteration } + [entry] }

  /// - Throws: `FileError`.
  func write(to workDir: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try WholeFile.write(Array(encoder.encode(self)), to: "\(workDir)/\(Self.name)")
  }

  /// A new run has measured nothing yet.
  static func remove(from workDir: String) { unlink("\(workDir)/\(name)") }
}
