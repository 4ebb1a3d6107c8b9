import COCO
import Primitives

/// The pictures in which most and least is right, with what is there beside what was found.
struct PicturesSection {
  private let detections: ReportedDetections
  private let findings: PictureFindings
  private let count: Int
  private let captions: [String]
  private let places: [Int64: Int]

  /// So long is the longer side of a picture.
  private static let longest = 560
  /// Where a picture has more boxes, those that are right have no names.
  private static let mostNamed = 10

  /// - Parameter count: of the best, and of the worst.
  init(_ detections: ReportedDetections, _ analysis: DetectionAnalysis, count: Int) {
    (self.detections, findings, self.count) = (detections, analysis.pictures, count)
    let dataset = detections.dataset
    captions = ClassCaptions(names: dataset.classes, ids: dataset.categoryIDs).texts
    places = Dictionary(dataset.images.indices.map { (dataset.images.id(at: $0), $0) }) { first, _ in first }
  }

  private static let (id, title) = ("pictures", "Best and worst pictures")

  var section: PageSection {
    guard count > 0 else { return PageSection(Self.id, Self.title, missing: "No pictures were asked for.") }
    let worst = findings.worst(count)
    let best = findings.best(count).filter { finding in !worst.contains { $0.imageID == finding.imageID } }
    guard !worst.isEmpty || !best.isEmpty else {
      return PageSection(
        Self.id, Self.title, missing: "No picture has an object, or a detection from score \(threshold) on.")
    }
    let words =
      "By F1 with detections from score \(threshold) on. On the left what is there, on the right what was found; what was "
      + "missed and what is wrong is named so."
    let seen = Set((worst + best).flatMap { $0.objects.map(\.groundTruth.label) + $0.found.map(\.detection.label) })
    let dataset = detections.dataset
    return PageSection(
      Self.id, Self.title,
      [
        .paragraph(words),
        ClassLegend.markup(seen, names: dataset.classes, ids: dataset.categoryIDs, drawn: captions),
        pairs("Worst", worst, otherwise: "No picture has an error."),
        pairs("Best", best, otherwise: "No other picture has a right detection."),
      ])
  }

  private var threshold: String { fixed(findings.threshold, 3) }

  private func pairs(_ heading: String, _ findings: [PictureFinding], otherwise: String) -> Markup {
    guard !findings.isEmpty else { return "<h3>\(heading)</h3>\(Markup.paragraph(otherwise))" }
    return "<h3>\(heading)</h3>\n<div class=\"pairs\">\n\(findings.map(pair))\n</div>"
  }

  private func pair(_ finding: PictureFinding) -> Markup {
    guard let place = places[finding.imageID] else { bug("image \(finding.imageID) is not in the data set") }
    let dataset = detections.dataset
    let name = dataset.images[place].fileName
    let numbers =
      "F1 \(fixed(finding.f1, 3)): \(finding.truePositives) right, \(finding.falsePositives) wrong, \(finding.missed) missed"
    let caption: Markup =
      "<figcaption><b>\(name)</b> (image \(dataset.images.identifier(at: place).description)) · \(numbers)</figcaption>"
    do {
      let picture = try dataset.smallPicture(of: dataset.images[place], longest: Self.longest)
      let scale = Float(picture.width) / Float(max(1, dataset.images.size(at: place).width))
      let truth = try drawn(
        picture, objects(of: finding, scale), "\(name): what is there, \(finding.objects.count) objects")
      let found = try drawn(picture, found(in: finding, scale), "\(name): what was found, \(finding.found.count) boxes")
      return """
        <figure class="pair">\(caption)
        <div><span>What is there</span>\(truth)</div>
        <div><span>What was found</span>\(found)</div>
        </figure>
        """
    } catch {
      return "<figure class=\"pair\">\(caption)\n<div class=\"empty\">\("\(error)")</div></figure>"
    }
  }

  private func drawn(_ picture: DecodedImage, _ boxes: [DrawnBox], _ text: String) throws -> Markup {
    var drawing = Drawing(pixels: picture.pixels, size: picture.size, order: .bgr)
    drawing.draw(boxes)
    return try EmbeddedPicture(drawing, text: text).markup
  }

  private func objects(of finding: PictureFinding, _ scale: Float) -> [DrawnBox] {
    let namesAll = finding.objects.count <= Self.mostNamed
    // What is missed first: its captions have the first choice of places.
    return finding.objects.sorted { $0.isMissed && !$1.isMissed }.map { object in
      let truth = object.groundTruth
      let detail = object.isMissed ? "missed" : truth.isCrowd ? "crowd" : ""
      return DrawnBox(
        box: truth.box.corners.scaled(x: scale, y: scale), category: detections.dataset.categoryIDs[truth.label],
        name: namesAll || !detail.isEmpty ? captions[truth.label] : "", detail: detail,
        style: truth.isCrowd ? .groundTruth : .detection)
    }
  }

  private func found(in finding: PictureFinding, _ scale: Float) -> [DrawnBox] {
    let namesAll = finding.found.count <= Self.mostNamed
    let isWrong = { (found: PictureFinding.Found) in found.outcome == .falsePositive }
    return finding.found.sorted { isWrong($0) && !isWrong($1) }.map { found in
      let detection = found.detection
      let error = isWrong(found) ? " \(found.error?.words ?? "wrong")" : ""
      let isNamed = namesAll || isWrong(found)
      return DrawnBox(
        box: detection.box.corners.scaled(x: scale, y: scale),
        category: detections.dataset.categoryIDs[detection.label], name: isNamed ? captions[detection.label] : "",
        detail: isNamed ? "\(fixed(detection.score, 2))\(error)" : "")
    }
  }
}
