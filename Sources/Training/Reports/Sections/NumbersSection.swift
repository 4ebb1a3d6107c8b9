/// What was measured, as `rcnn-train test` prints it.
struct NumbersSection {
  private let detections: ReportedDetections

  init(_ detections: ReportedDetections) { self.detections = detections }

  var section: PageSection {
    if let reason = detections.dataset.reasonForNoMetrics {
      let found = "\(detections.detections.count) boxes in \(detections.dataset.images.count) images"
      return PageSection("numbers", "Numbers", missing: "\(reason). Found were \(found).")
    }
    return PageSection("numbers", "Numbers", [tiles, table])
  }

  /// mmdetection's.
  private var tiles: Markup {
    let tiles = detections.measurement.metrics.map { name, value -> Markup in
      "<div><b>\(fixed(value, 4))</b><span>\(name)</span></div>"
    }
    return "<div class=\"tiles\">\n\(tiles)\n</div>"
  }

  private var table: Markup {
    var table = PageTable(caption: caption, columns: [.text("Number"), .number("Value")])
    for line in detections.measurement.summary {
      // ` Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.374`; `AR@100  0.5730`.
      let isEquation = line.contains(" = ")
      let parts = line.components(separatedBy: isEquation ? " = " : "  ")
      guard parts.count > 1, let value = parts.last else { continue }
      let name = parts.dropLast().joined(separator: " ").split(separator: " ").joined(separator: " ")
      table.rows.append(["\(name)", "\(value)"])
    }
    return table.markup
  }

  private var caption: String {
    let hasNone = detections.measurement.statistics.contains { $0.value == -1 }
    let rule: String
    switch detections.measurement {
    case .coco: rule = "By COCO's rule, with pycocotools' words"
    case .voc: rule = "By Pascal VOC's rule"
    }
    return hasNone ? "\(rule); -1: there is no object of that size" : rule
  }
}

/// How good each class is.
struct ClassesSection {
  private let detections: ReportedDetections

  init(_ detections: ReportedDetections) { self.detections = detections }

  private var title: String { "Classes" }

  var section: PageSection {
    let precisions = detections.measurement.precisionsOfLabels
    guard detections.dataset.reasonForNoMetrics == nil else {
      return PageSection("classes", title, missing: "\(detections.dataset.reasonForNoMetrics ?? "").")
    }
    guard !precisions.all.isEmpty else {
      return PageSection("classes", title, missing: "Nothing was measured class by class.")
    }
    let thresholds = detections.analysis?.thresholds.classes
    var table = PageTable(
      caption: "Best first",
      columns: [
        .text("Class"), .number("Objects"), .number("Boxes", "Detections, of any score"),
        .number("AP", "Average precision"), .number("AP50", "Average precision at IoU 0.5"), .text(""),
      ])
    let order = precisions.all.indices.sorted { one, other in
      let (mine, others) = (precisions.all[one], precisions.all[other])
      return (mine.isNaN ? -1 : mine, other) > (others.isNaN ? -1 : others, one)
    }
    for label in order where !precisions.all[label].isNaN {
      let (all, half) = (precisions.all[label], precisions.half[label])
      let objects = thresholds.map { "\($0[label].objects)" } ?? "–"
      let found = detections.detections.count { $0.label == label }
      let meter: Markup = """
        <span class="meter" aria-hidden="true"><i style="width: \(100 * all)%"></i></span>
        """
      table.rows.append([
        "\(detections.dataset.classes[label])", "\(objects)", "\(found)", "\(decimals(all))", "\(decimals(half))",
        meter,
      ])
    }
    let without = precisions.all.indices.filter { precisions.all[$0].isNaN }.map { detections.dataset.classes[$0] }
    let note: Markup =
      without.isEmpty ? "" : .paragraph("The data set has no object of: \(without.joined(separator: ", ")).")
    return PageSection("classes", title, table.rows.isEmpty ? [note] : [table.markup, note])
  }

  private func decimals(_ value: Double) -> String { value.isNaN ? "–" : fixed(value, 3) }
}
