import COCO

/// Precision over recall.
struct CurvesSection {
  private let classes: [String]
  private let curves: PrecisionRecallCurves

  init(_ classes: [String], _ analysis: DetectionAnalysis) { (self.classes, curves) = (classes, analysis.curves) }

  var section: PageSection {
    guard let overall = curves.overall else {
      return PageSection("curves", "Precision and recall", missing: "There is no object to find.")
    }
    let known = curves.classes.indices.filter { curves.classes[$0] != nil }
    let mean = chart(
      "mean", "Mean of all classes",
      [
        ("IoU 0.5 (AP50 \(fixed(overall.at50.averagePrecision, 3)))", overall.at50),
        ("IoU 0.75 (AP75 \(fixed(overall.at75.averagePrecision, 3)))", overall.at75),
        ("IoU 0.5 to 0.95 (AP \(fixed(overall.mean.averagePrecision, 3)))", overall.mean),
      ])
    guard known.count > 2 * PageStyle.colorCount else {
      let each = chart("classes", "Each class at IoU 0.5", known.map { (name($0), curves.classes[$0]!.at50) })
      return PageSection("curves", "Precision and recall", [.charts([mean, each])])
    }
    let small = known.map { label -> Markup in
      SmallCurve(
        id: "curve-\(label)", name: classes[label], curve: curves.classes[label]!.at50
      ).markup
    }
    return PageSection(
      "curves", "Precision and recall",
      [
        .charts([mean]), "<h3>Each class at IoU 0.5</h3>",
        "<p class=\"note\">Precision upwards, recall to the right, both from 0 to 1.</p>",
        "<div class=\"small-charts\">\n\(small)\n</div>",
      ])
  }

  private func name(_ label: Int) -> String {
    let precision = curves.classes[label].map { fixed($0.at50.averagePrecision, 3) } ?? "–"
    return "\(classes[label]) (AP50 \(precision))"
  }

  private func chart(_ id: String, _ title: String, _ curves: [(String, PrecisionRecallCurve)]) -> Markup {
    let lines = curves.map { name, curve in
      LineChart.Line(name, zip(PrecisionRecallCurve.recalls, curve.precisions).map { SIMD2($0, $1) })
    }
    var chart = LineChart(
      id: "curves-\(id)", title: title, horizontal: "recall", vertical: "precision", lines: lines)
    (chart.xRange, chart.yRange) = (0...1, 0...1)
    return chart.markup
  }
}

/// A curve of a class among many: small, with its name and its number.
private struct SmallCurve {
  let id: String
  let name: String
  let curve: PrecisionRecallCurve

  var markup: Markup {
    let path = zip(PrecisionRecallCurve.recalls, curve.precisions).enumerated().map { index, point in
      "\(index == 0 ? "M" : "L")\(fixed(2 + 116 * point.0, 1)) \(fixed(2 + 76 * (1 - point.1), 1))"
    }.joined()
    let text = "\(name): AP50 \(fixed(curve.averagePrecision, 3))"
    return """
      <figure><figcaption>\(name) · \(fixed(curve.averagePrecision, 3))</figcaption>
      <svg viewBox="0 0 120 80" role="img" aria-labelledby="\(id)-title"><title id="\(id)-title">\(text)</title>\
      <rect class="frame" x="2" y="2" width="116" height="76"/><path class="line c0" d="\(path)"/></svg></figure>
      """
  }
}
