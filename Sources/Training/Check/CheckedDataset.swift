import COCO
import Primitives

/// What `check` tells of one part of `data`.
struct CheckedDataset {
  let section: DatasetConfiguration
  var part: RunDataset
  let facts: DatasetFacts

  init(_ part: RunDataset, _ section: DatasetConfiguration) {
    (self.part, self.section, facts) = (part, section, part.dataset.facts)
  }

  var name: String { part.name }
  private var dataset: CocoDataset { part.dataset }

  /// Whether it holds the same as another one.
  func isSame(as other: CheckedDataset) -> Bool {
    section.sources == other.section.sources && section.arrangement == other.section.arrangement
      && dataset.classes == other.dataset.classes && dataset.summary == other.dataset.summary
  }

  // MARK: Text

  var heading: String { "data.\(name): \(section.annotationPath)" }

  var lines: [String] {
    var table = TextTable(heading: ["class", "boxes", "small", "medium", "large", "crowd", "images"])
    for row in facts.classes {
      table.add(
        [Self.shortened(row.name)]
          + [row.boxes, row.small, row.medium, row.large, row.crowd, row.images].map { "\($0)" })
    }
    var lines = ["\(dataset.summary)"] + table.lines
    if facts.imagesWithoutBoxes > 0 {
      lines.append("images without a box: \(facts.imagesWithoutBoxes) (\(facts.listWithoutBoxes))")
    }
    if name == "test", let reason = dataset.reasonForNoMetrics { lines.append("notice: \(reason)") }
    return lines + findingLines()
  }

  func findingLines(besides others: [DatasetFinding] = []) -> [String] {
    part.findings.filter { !others.contains($0) }.map { "\($0.level.rawValue): \($0.text)" }
  }

  private static func shortened(_ name: String) -> String { name.count > 32 ? "\(name.prefix(31))…" : name }

  // MARK: JSON

  var json: JSON {
    .object([
      ("name", .text(name)), ("ann_file", .text(section.annotationPath)),
      ("img_prefix", .text(section.pictureFolder)),
      ("images", imagesJSON), ("boxes", boxesJSON), ("classes", .array(facts.classes.map(Self.json))),
      ("findings", .array(part.findings.map(\.json))),
    ])
  }

  private var imagesJSON: JSON {
    let summary = dataset.summary
    return .object([
      ("in_file", .integer(summary.imagesInFile)), ("used", .integer(summary.images)),
      ("dropped_without_annotations", .integer(summary.imagesWithoutAnnotations)),
      ("dropped_too_small", .integer(summary.imagesTooSmall)),
      ("without_boxes", .integer(facts.imagesWithoutBoxes)),
      ("first_without_boxes", .array(facts.firstIDsWithoutBoxes.map(\.json))),
    ])
  }

  private var boxesJSON: JSON {
    let summary = dataset.summary
    return .object([
      ("used", .integer(summary.boxes)), ("crowd", .integer(summary.crowdBoxes)),
      ("without_area", .integer(summary.boxesTooSmall)), ("outside", .integer(summary.boxesOutside)),
      ("marked_ignore", .integer(summary.boxesMarkedIgnore)),
      ("of_other_classes", .integer(summary.boxesOfOtherClasses)),
      ("over_the_edge", .integer(summary.boxesOverTheEdge)),
    ])
  }

  private static func json(_ row: DatasetFacts.Class) -> JSON {
    .object([
      ("name", .text(row.name)), ("category_id", .integer(Int(row.categoryID))), ("boxes", .integer(row.boxes)),
      ("small", .integer(row.small)), ("medium", .integer(row.medium)), ("large", .integer(row.large)),
      ("crowd", .integer(row.crowd)), ("images", .integer(row.images)),
    ])
  }
}

extension DatasetFinding {
  fileprivate var json: JSON {
    .object([
      ("kind", .text(kind.rawValue)), ("level", .text(level.rawValue)), ("count", .integer(count)),
      ("first_ids", .array(ids.map(\.json))), ("text", .text(text)),
    ])
  }
}
