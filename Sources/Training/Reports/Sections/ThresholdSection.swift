import COCO

/// From which score on detections are best taken.
struct ThresholdSection {
  private let classes: [String]
  private let analysis: DetectionAnalysis

  init(_ classes: [String], _ analysis: DetectionAnalysis) { (self.classes, self.analysis) = (classes, analysis) }

  private static let (id, title) = ("threshold", "Score threshold")

  var section: PageSection {
    let overall = analysis.thresholds.overall
    guard let best = overall.best else {
      return PageSection(Self.id, Self.title, missing: "No detection is right: no threshold is better than another.")
    }
    let overlap = fixed(analysis.parameters.overlap, 2)
    let words =
      "F1, the harmonic mean of precision and recall, is highest, \(fixed(best.f1, 3)), where detections from score "
      + "\(fixed(best.score, 3)) on are taken: precision \(fixed(best.precision, 3)), recall \(fixed(best.recall, 3)) "
      + "(\(best.truePositives) right, \(best.falsePositives) wrong, \(best.missed) missed; IoU \(overlap)). "
      + "'rcnn-train predict --score-thr \(fixed(best.score, 2))' draws those."
    return PageSection(Self.id, Self.title, [.paragraph(words), .charts([chart(overall, best)]), table])
  }

  private func chart(_ curve: ThresholdCurve, _ best: OperatingPoint) -> Markup {
    let points = curve.points.sorted { $0.score < $1.score }
    func line(_ name: String, isStrong: Bool = false, _ value: (OperatingPoint) -> Double) -> LineChart.Line {
      LineChart.Line(name, points.map { SIMD2($0.score, value($0)) }, isStrong: isStrong)
    }
    var chart = LineChart(
      id: "threshold-chart", title: "All classes together", horizontal: "least score that counts", vertical: "part",
      lines: [line("F1", isStrong: true, \.f1), line("precision", \.precision), line("recall", \.recall)])
    (chart.xRange, chart.yRange) = (0...1, 0...1)
    chart.highlight = (SIMD2(best.score, best.f1), "F1 \(fixed(best.f1, 3)) from \(fixed(best.score, 3)) on")
    return chart.markup
  }

  private var table: Markup {
    var table = PageTable(
      caption: "The best threshold of each class",
      columns: [
        .text("Class"), .number("Objects"), .number("Threshold"), .number("F1"), .number("Precision"),
        .number("Recall"),
        .number("Right"), .number("Wrong"), .number("Missed"),
      ])
    for (label, curve) in analysis.thresholds.classes.enumerated() where curve.objects > 0 {
      let numbers: [Markup] =
        curve.best.map {
          [
            "\(fixed($0.score, 3))", "\(fixed($0.f1, 3))", "\(fixed($0.precision, 3))", "\(fixed($0.recall, 3))",
            "\($0.truePositives)", "\($0.falsePositives)", "\($0.missed)",
          ]
        } ?? ["–", "0.000", "–", "0.000", "0", "–", "\(curve.objects)"]
      table.rows.append(["\(classes[label])", "\(curve.objects)"] + numbers)
    }
    return table.markup
  }
}
