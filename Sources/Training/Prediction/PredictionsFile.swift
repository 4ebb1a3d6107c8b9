import COCO
import Detection
import Foundation
import Primitives

/// `predictions.json`: COCO's annotation format with a `score` for each box, so that whatever reads annotations reads it.
/// It is gathered picture by picture, as text, which is little beside the pictures.
struct PredictionsFile {
  static let name = "predictions.json"

  private let head: [(String, JSON)]
  private let categoryIDs: [Int]
  private var images = JSONLines()
  private var annotations = JSONLines()
  private var failures = JSONLines()

  /// - Parameters:
  ///   - classes: the names in the order of the labels.
  ///   - categoryIDs: one a class.
  init(checkpoint: String, scoreThr: Float, classes: [String], categoryIDs: [Int]) {
    let info = JSON.object([
      ("description", .text("rcnn-train predict")), ("checkpoint", .text(checkpoint)),
      ("score_thr", Self.number(scoreThr)),
    ])
    let categories = zip(categoryIDs, classes).map { id, name in
      JSON.object([("id", .integer(id)), ("name", .text(name))])
    }
    head = [("info", info), ("categories", .array(categories))]
    self.categoryIDs = categoryIDs
  }

  var count: Int { images.count }
  var failureCount: Int { failures.count }

  /// - Parameters:
  ///   - path: the picture as it was found.
  ///   - drawn: the drawn picture, relative to the output folder.
  mutating func add(_ path: String, drawn: String, size: ImageSize, _ detections: [Detection]) {
    images.add(
      .object([
        ("id", .integer(images.count + 1)), ("file_name", .text(path)), ("width", .integer(size.width)),
        ("height", .integer(size.height)), ("drawn", .text(drawn)),
      ]))
    for detection in detections {
      let box = detection.box
      annotations.add(
        .object([
          ("id", .integer(annotations.count + 1)), ("image_id", .integer(images.count)),
          ("category_id", .integer(categoryIDs[detection.label])),
          ("bbox", .array([box.x1, box.y1, box.width, box.height].map(Self.number))),
          ("area", Self.number(box.area)), ("iscrowd", .integer(0)), ("score", Self.number(detection.score)),
        ]))
    }
  }

  mutating func addFailure(_ path: String, _ reason: String) {
    failures.add(.object([("file_name", .text(path)), ("error", .text(reason))]))
  }

  /// With the digits that tell it from other single-precision numbers.
  private static func number(_ value: Float) -> JSON { .number(Double("\(value)") ?? Double(value)) }

  /// - Throws: `RunError`.
  func write(to folder: String) throws(RunError) {
    var text = "{\n"
    for (key, value) in head { text += "\"\(key)\": \(value.text()),\n" }
    let lists = [("images", images), ("annotations", annotations), ("failed", failures)]
    text += lists.map { "\"\($0.0)\": [\($0.1.text)]" }.joined(separator: ",\n") + "\n}\n"
    try OutputFolder.write(text, to: Folder.join(folder, Self.name), option: "--out-dir")
  }
}

/// The elements of a JSON array, a line each.
private struct JSONLines {
  private(set) var count = 0
  private(set) var text = ""

  mutating func add(_ element: JSON) {
    text += (count == 0 ? "\n" : ",\n") + element.text()
    count += 1
  }
}
