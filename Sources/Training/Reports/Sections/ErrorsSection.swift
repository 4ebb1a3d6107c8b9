import COCO

/// What goes wrong, and what it costs.
struct ErrorsSection {
  private let classes: [String]
  private let errors: DetectionErrors

  init(_ classes: [String], _ analysis: DetectionAnalysis) { (self.classes, errors) = (classes, analysis.errors) }

  var section: PageSection {
    let words =
      "Counted as TIDE does, at IoU \(fixed(errors.overlap, 2)) (background below \(fixed(errors.backgroundOverlap, 2))). The "
      + "cost of a kind is by how many points AP50, here \(fixed(100 * errors.averagePrecision, 2)), would be higher if "
      + "its errors alone were mended; the costs don't add up. All wrong detections cost "
      + "\(fixed(100 * errors.falsePositiveDeltaAP, 2)) points, all objects that were not found "
      + "\(fixed(100 * errors.falseNegativeDeltaAP, 2))."
    let cost = BarChart(
      id: "errors-cost", title: "Cost of each kind", note: "Points of AP50 that mending it would win.",
      bars: errors.kinds.map {
        BarChart.Bar(
          name: $0.kind.words, value: $0.deltaAP, label: fixed(100 * $0.deltaAP, 2), explanation: $0.kind.explanation)
      })
    let counts = BarChart(
      id: "errors-count", title: "Number of each kind", note: "Detections of all scores; missed: objects.",
      bars: errors.kinds.map {
        BarChart.Bar(
          name: $0.kind.words, value: Double($0.count), label: "\($0.count)", explanation: $0.kind.explanation)
      })
    return PageSection(
      "errors", "Errors by kind", [.paragraph(words), .charts([cost.markup, counts.markup]), meanings, table])
  }

  private var meanings: Markup {
    .facts(DetectionErrorKind.allCases.map { ("\($0.words) (\($0.rawValue))", "\($0.explanation)") })
  }

  /// The counts of each class.
  private var table: Markup {
    var table = PageTable(
      caption: "By the class of the detection, or of the object that was missed",
      columns: [.text("Class")] + errors.kinds.map { .number($0.kind.words, $0.kind.explanation) })
    for (label, name) in classes.enumerated() {
      let counts = errors.kinds.map { $0.countsOfLabels[label] }
      guard counts.contains(where: { $0 > 0 }) else { continue }
      table.rows.append(["\(name)"] + counts.map { "\($0)" })
    }
    return table.rows.isEmpty ? .paragraph("There is no error.") : table.markup
  }
}

extension DetectionErrorKind {
  /// What people call it.
  var words: String {
    switch self {
    case .classification: "wrong class"
    case .localization: "badly placed"
    case .both: "both"
    case .duplicate: "duplicate"
    case .background: "background"
    case .missed: "missed"
    }
  }

  var explanation: String {
    switch self {
    case .classification: "in the right place, of another class"
    case .localization: "of the right class, not well enough in place"
    case .both: "neither of the right class nor well enough in place"
    case .duplicate: "of an object that a better detection has found"
    case .background: "where no object is"
    case .missed: "an object that nothing found, nor would have with another class or place"
    }
  }
}
