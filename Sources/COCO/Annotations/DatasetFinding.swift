import Foundation
import Primitives

/// What the user of a data set should know about it, though it can be used.
public struct DatasetFinding: Codable, Equatable, Sendable {
  public enum Level: String, Codable, Sendable { case notice, warning }

  /// What it is about, for programs.
  public enum Kind: String, Codable, Sendable {
    case noAnnotations = "no_annotations"
    case repeatedAnnotationIDs = "repeated_annotation_ids"
    case repeatedPictures = "repeated_pictures"
    case repeatedClassNames = "repeated_class_names"
    case repeatedBoxes = "repeated_boxes"
    case annotationIDZero = "annotation_id_zero"
    case areaBeyondBox = "area_beyond_box"
    case classesWithoutBoxes = "classes_without_boxes"
    case lostBoxes = "lost_boxes"
    case noBoxes = "no_boxes"
    case sharedPictures = "shared_pictures"
    case lowBits = "low_bits"
    case copiedContent = "copied_content"
    case notNumbers = "not_numbers"
  }

  public let kind: Kind
  public let level: Level
  /// How many there are of what was found.
  public let count: Int
  /// The first few, as ids of annotations or of images; empty where it is about neither.
  public let ids: [FileIdentifier]
  public let text: String

  init(_ kind: Kind, level: Level = .warning, of tally: Tally<FileIdentifier>, _ text: String) {
    (self.kind, self.level, self.text) = (kind, level, text)
    (count, ids) = (tally.count, tally.ids)
  }

  init(_ kind: Kind, level: Level = .warning, count: Int = 1, ids: [FileIdentifier] = [], _ text: String) {
    (self.kind, self.level, self.count, self.ids, self.text) = (kind, level, count, ids, text)
  }
}

/// A count, and the first few ids of what is counted.
struct Tally<Identifier: Equatable & Sendable>: Equatable, Sendable {
  private(set) var count = 0
  private(set) var ids: [Identifier] = []

  mutating func add(_ id: Identifier) {
    count += 1
    if ids.count < Examples.shownCount { ids.append(id) }
  }

  func named(_ identifier: (Identifier) -> FileIdentifier) -> Tally<FileIdentifier> {
    var named = Tally<FileIdentifier>()
    (named.count, named.ids) = (count, ids.map(identifier))
    return named
  }
}

extension Tally<FileIdentifier> {
  /// `3, 7, 9, …`
  var list: String { Examples.list(ids.map(\.description), of: count) }
}

enum Examples {
  static let shownCount = 3

  /// The first few of so many words.
  static func list(_ words: some Collection<String>, of count: Int) -> String {
    FirstFew.words(words, most: shownCount, of: count)
  }
}

extension DatasetFinding {
  /// As the annotation block keeps it.
  var encoded: String {
    (try? JSONEncoder().encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  init?(encoded: String) {
    guard let finding = try? JSONDecoder().decode(Self.self, from: Data(encoded.utf8)) else { return nil }
    self = finding
  }
}
