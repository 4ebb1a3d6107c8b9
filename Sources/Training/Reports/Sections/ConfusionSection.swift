import COCO

/// Which classes are taken for which.
struct ConfusionSection {
  private let classes: [String]
  private let matrix: ConfusionMatrix

  init(_ classes: [String], _ analysis: DetectionAnalysis) { (self.classes, matrix) = (classes, analysis.confusion) }

  var section: PageSection {
    guard matrix.counts.contains(where: { $0.contains { $0 > 0 } }) else {
      return PageSection(
        "confusion", "Confusion matrix",
        missing: "There are neither objects nor detections from score \(fixed(matrix.scoreThreshold, 2)) on.")
    }
    let words =
      "Rows are what is there, columns what was found: detections from score \(fixed(matrix.scoreThreshold, 2)) on, each "
      + "with the object that it overlaps most, by IoU \(fixed(matrix.overlap, 2)) at least. A cell is the darker the "
      + "larger its part of its row; the last row is what was found where nothing is, the last column what was missed."
    let (shown, left) = shownLabels
    let chart = MatrixChart(
      id: "confusion-chart", title: "Objects and detections", note: left, rowsTitle: "what is there",
      columnsTitle: "what was found", rows: shown.map { $0 == matrix.last ? "background" : classes[$0] },
      columns: shown.map { $0 == matrix.last ? "missed" : classes[$0] },
      counts: shown.map { row in shown.map { matrix.counts[row][$0] } })
    return PageSection("confusion", "Confusion matrix", [.paragraph(words), chart.markup, confusions])
  }

  /// So many fit on a page.
  private static let mostShown = 100

  /// The classes that have objects or detections; of very many those that have most. And what is said of the others.
  private var shownLabels: (labels: [Int], note: String) {
    let weights = classes.indices.map { label in
      matrix.counts[label].reduce(0, +) + matrix.counts.reduce(0) { $0 + $1[label] }
    }
    let labels = classes.indices.filter { weights[$0] > 0 }
    let left = classes.count - labels.count
    var notes =
      left > 0 ? ["Left out: \(count(left, "class", "classes")) with neither objects nor detections."] : []
    guard labels.count > Self.mostShown else { return (labels + [matrix.last], notes.joined()) }
    let kept = labels.sorted { (weights[$1], $0) < (weights[$0], $1) }.prefix(Self.mostShown).sorted()
    notes.append("Of \(labels.count) classes the \(Self.mostShown) with most objects and detections are shown.")
    return (kept + [matrix.last], notes.joined(separator: " "))
  }

  /// The most frequent cells off the diagonal between classes.
  private var confusions: Markup {
    var pairs: [(row: Int, column: Int, count: Int)] = []
    for row in classes.indices {
      for column in classes.indices where row != column && matrix.counts[row][column] > 0 {
        pairs.append((row, column, matrix.counts[row][column]))
      }
    }
    guard !pairs.isEmpty else { return .paragraph("No class was taken for another.") }
    let most = 15
    pairs.sort { ($1.count, $0.row, $0.column) < ($0.count, $1.row, $1.column) }
    let more = pairs.count > most ? " (of \(pairs.count) pairs of classes)" : ""
    var table = PageTable(
      caption: "What was most often taken for something else\(more)",
      columns: [.text("There is"), .text("Found as"), .number("Count"), .number("Part of the row")])
    for pair in pairs.prefix(most) {
      let total = matrix.counts[pair.row].reduce(0, +)
      table.rows.append([
        "\(classes[pair.row])", "\(classes[pair.column])", "\(pair.count)",
        "\(fixed(100 * Double(pair.count) / Double(total), 1)) %",
      ])
    }
    return table.markup
  }
}
