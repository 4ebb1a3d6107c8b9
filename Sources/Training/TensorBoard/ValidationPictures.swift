import COCO
import Primitives
import TensorBoard

/// Some pictures of a validation set with what is to be found in them and what was found, drawn as `predict` draws: the
/// same ones after each evaluation, on any number of ranks.
struct ValidationPictures {
  private let dataset: CocoDataset
  /// In the data set.
  private let places: [Int]
  private let captions: [String]
  private let tellsClassesApart: Bool

  /// What is drawn has at least this score, as with `predict` unless it is told otherwise.
  private static let scoreThr = 0.3
  /// Larger pictures are made smaller: TensorBoard shows them small, and its files keep all of them.
  private static let longestEdge = 1024

  /// Chooses pictures with objects, evenly over the data set, beginning with its first; any pictures, where none has objects.
  /// - Parameter tellsClassesApart: false for an RPN, whose boxes are of no class.
  init(_ dataset: CocoDataset, count: Int, tellsClassesApart: Bool) {
    self.dataset = dataset
    self.tellsClassesApart = tellsClassesApart
    captions = ClassCaptions(names: dataset.classes, ids: dataset.categoryIDs).texts
    let all = dataset.images.distinct
    let withObjects = count == 0 ? [] : all.filter { !dataset.images[$0].boxes.isEmpty }
    let candidates = withObjects.isEmpty ? Array(all) : withObjects
    let few = min(count, candidates.count)
    places = (0..<few).map { candidates[$0 * candidates.count / few] }
  }

  /// - Parameter detections: of the whole data set; an image's best first.
  /// - Returns: `pictures/<file name>`. A picture that can't be read is left out: the evaluation has said so.
  /// - Throws: `OutputError`.
  func drawn(with detections: [EvaluationDetection]) throws -> [SummaryValue] {
    guard !places.isEmpty else { return [] }
    let ids = Set(places.map(dataset.images.id))
    let seen = detections.filter { $0.score >= Self.scoreThr && ids.contains($0.imageID) }
    let found = Dictionary(grouping: seen, by: \.imageID)
    return try places.compactMap { try drawn(dataset.images[$0], found[dataset.images.id(at: $0)] ?? []) }
  }

  private func drawn(_ image: CocoDataset.Image, _ detections: [EvaluationDetection]) throws -> SummaryValue? {
    let tag = "pictures/\(image.fileName)"
    guard let picture = try? dataset.smallPicture(of: image, longest: Self.longestEdge) else { return nil }
    let scale = (
      x: Float(picture.size.width) / Float(image.size.width), y: Float(picture.size.height) / Float(image.size.height)
    )
    let found = detections.map { detection in
      DrawnBox(
        box: detection.box.corners.scaled(x: scale.x, y: scale.y), category: category(detection.label),
        name: name(detection.label), detail: fixed(detection.score, 2))
    }
    let given = zip(image.boxes, image.labels).map { box, label in
      DrawnBox(
        box: box.scaled(x: scale.x, y: scale.y), category: category(label), name: name(label), detail: "gt",
        style: .groundTruth)
    }
    var drawing = Drawing(pixels: picture.pixels, size: picture.size, order: .bgr)
    drawing.draw(found + given)
    let bytes = try ImageEncoder.jpeg(drawing.pixels, picture.size, .bgr, quality: 90, .full, tag)
    return SummaryValue(tag, .picture([UInt8](bytes), picture.size))
  }

  private func category(_ label: Int) -> Int64 { tellsClassesApart ? dataset.categoryIDs[label] : 1 }
  private func name(_ label: Int) -> String { tellsClassesApart ? captions[label] : "object" }
}
