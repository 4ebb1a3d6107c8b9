import COCO
import Detection
import Primitives

/// What `anchors` tells.
struct AnchorReport {
  let source: ConfigSource
  let read: ReadConfiguration
  /// `train` or `val`.
  let part: String
  let section: DatasetConfiguration
  let dataset: CocoDataset
  let boxes: ResizedBoxes
  let head: RPNHeadConfiguration
  let proposal: AnchorProposal
  let fit: AnchorFit
  let proposedFit: AnchorFit

  /// - Throws: `COCOError` for an impossible pipeline, `RunError` where there is no box.
  init(
    _ options: AnchorsOptions, _ read: ReadConfiguration, _ head: RPNHeadConfiguration,
    _ section: DatasetConfiguration, _ dataset: CocoDataset
  ) throws {
    (source, self.read, part, self.section) = (options.config, read, options.part.rawValue, section)
    (self.dataset, self.head) = (dataset, head)
    boxes = try ResizedBoxes(dataset, section.pipeline)
    guard !boxes.elements.isEmpty else {
      throw RunError(
        "\(section.annotationPath): error: none of its \(boxes.imageCount) images has a box, so there is nothing to "
          + "compare anchors with", exitCode: .badData)
    }
    proposal = AnchorProposal(
      head, boxes, scales: options.scaleCount ?? head.anchorGenerator.scales.count,
      ratios: options.ratioCount ?? head.anchorGenerator.ratios.count)
    fit = AnchorFit(head, boxes)
    proposedFit = AnchorFit(proposal.applied(to: head), boxes)
  }

  // MARK: Text

  var text: String {
    var lines = read.notices + ["data.\(part): \(section.annotationPath)", "  \(dataset.summary)", "  \(sizes)"]
    lines.append("anchors: \(words(head.anchorGenerator))")
    lines += table(fit.rows).map { "  \($0)" }
    if fit.withoutAnchor > 0 { lines.append("  \(fit.withoutAnchor) boxes meet no anchor that may take part") }
    lines.append(gain)
    lines.append(yaml)
    lines.append("with these: \(words(proposal.applied(to: head).anchorGenerator))")
    lines += table(proposedFit.rows).map { "  \($0)" }
    return lines.map { "\($0)\n" }.joined()
  }

  private var sizes: String {
    let names = boxes.scales.map { $0.map { "\($0.width) x \($0.height)" } ?? "the stored size" }
    let several = boxes.scales.count > 1 ? "; each box counts once for each" : ""
    return "\(boxes.elements.count / boxes.scales.count) boxes to find, resized to " + names.joined(separator: ", ")
      + several
  }

  private func words(_ generator: AnchorGeneratorConfiguration) -> String {
    "\(generator.scales.count * generator.ratios.count) a cell, scales \(AnchorProposal.list(generator.scales)), "
      + "ratios \(AnchorProposal.list(generator.ratios))"
  }

  private func table(_ rows: [AnchorRecall]) -> [String] {
    var table = TextTable(
      heading: ["boxes", "number", "IoU >= \(AnchorProposal.text(head.posIoUThr))", "IoU >= 0.5", "mean IoU"])
    for row in rows {
      table.add(
        [row.name, "\(row.boxes)"]
          + (row.boxes == 0
            ? ["-", "-", "-"]
            : ["\(fixed(row.recall * 100, 1)) %", "\(fixed(row.recallAtHalf * 100, 1)) %", fixed(row.meanOverlap, 3)]))
    }
    return table.lines
  }

  private var gain: String {
    let change = proposedFit.all.meanOverlap - fit.all.meanOverlap
    let isRicher = proposal.scales.count * proposal.ratios.count > anchorsACell
    let judgement =
      change < 0.01 ? "the anchors fit about as well as any that were tried" : "these lines fit the boxes better"
    return judgement + (isRicher ? ", with more anchors a cell" : "") + ":"
  }

  private var anchorsACell: Int { head.anchorGenerator.scales.count * head.anchorGenerator.ratios.count }

  /// For the configuration, or one with that as its `_base_`.
  private var yaml: String {
    let key = "model.rpn_head.anchor_generator."
    let octave = ["octave_base_scale", "scales_per_octave"].filter { name in
      read.leaves.contains { $0.key == key + name && $0.value != "null" }
    }
    return
      (["model:", "  rpn_head:", "    anchor_generator:"] + octave.map { "      \($0): null" }
      + [
        "      scales: \(AnchorProposal.list(proposal.scales))",
        "      ratios: \(AnchorProposal.list(proposal.ratios))",
      ]).joined(separator: "\n")
  }

  // MARK: JSON

  var json: JSON {
    .object([
      ("configuration", source.path.map(JSON.text) ?? .null), ("notices", .array(read.notices.map(JSON.text))),
      ("data", .text(part)), ("ann_file", .text(section.annotationPath)), ("images", .integer(boxes.imageCount)),
      ("img_scales", .array(boxes.scales.compactMap { $0 }.map { .array([.integer($0.width), .integer($0.height)]) })),
      ("pos_iou_thr", Self.number(head.posIoUThr)), ("anchors", Self.json(head.anchorGenerator, fit)),
      ("proposal", Self.json(proposal.applied(to: head).anchorGenerator, proposedFit)), ("yaml", .text(yaml)),
    ])
  }

  private static func json(_ generator: AnchorGeneratorConfiguration, _ fit: AnchorFit) -> JSON {
    .object([
      ("scales", .array(generator.scales.map(number))), ("ratios", .array(generator.ratios.map(number))),
      ("boxes_without_anchor", .integer(fit.withoutAnchor)), ("rows", .array(fit.rows.map(json))),
    ])
  }

  private static func json(_ row: AnchorRecall) -> JSON {
    .object([
      ("name", .text(row.name)), ("boxes", .integer(row.boxes)), ("recall", .number(row.recall)),
      ("recall_50", .number(row.recallAtHalf)), ("mean_iou", .number(row.meanOverlap)),
    ])
  }

  /// With the digits of a float.
  private static func number(_ value: Float) -> JSON { .number(Double("\(value)") ?? Double(value)) }
}

extension AnchorFit {
  fileprivate var rows: [AnchorRecall] { [all] + ranges + octaves + levels }
}
