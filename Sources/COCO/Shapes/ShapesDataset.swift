import Foundation
import Primitives

/// The data set that the program can make by itself: pictures of simple shapes on textured backgrounds, in COCO format.
/// The same seed gives the same pixels and annotations on every machine.
///
/// Five classes of all sizes and proportions, hiding each other in part; every tenth picture is empty or
/// holds a crowd; pictures of odd sizes, upright and lying, JPEG and PNG; gaps between all identifiers.
public enum ShapesDataset {
  /// The classes in the order of the file, which is the order of labels.
  public static let classes = ShapeKind.allCases.map { "\($0)" }

  /// Writes `annotations/instances_train.json`, `annotations/instances_val.json`, `train/…` and `val/…`. The
  /// annotations come last: where they are, the pictures are.
  /// - Throws: `OutputError` where a file cannot be written.
  public static func write(to directory: String, trainCount: Int = 1000, valCount: Int = 100, seed: UInt64 = 0) throws {
    for (index, split) in [("train", trainCount), ("val", valCount)].enumerated() {
      try writeSplit(split.0, index: index, count: split.1, seed: seed, directory)
    }
  }

  private static func writeSplit(_ name: String, index: Int, count: Int, seed: UInt64, _ directory: String) throws {
    try create("\(directory)/\(name)")
    try create("\(directory)/annotations")
    var file = ShapesAnnotationFile()
    var imageID = 0
    for item in 0..<count {
      var random = KeyedRandom(seed: seed, purpose: .shapes, epoch: index, item: Int64(item))
      imageID += 1 + random.below(4)
      let ending = random.chance(0.25) ? "png" : "jpg"
      let scene = ShapesScene(random: random)
      let fileName = file.add(scene, imageID: imageID, ending: ending)
      try ImageEncoder.write(scene.pixels, scene.size, .rgb, to: "\(directory)/\(name)/\(fileName)")
    }
    try OutputError.orWrite(
      Array(file.text.utf8), to: "\(directory)/annotations/instances_\(name).json", safety: .synced)
  }

  private static func create(_ directory: String) throws {
    do { try Folder.make(directory) } catch {
      throw OutputError(path: directory, reason: "the directory cannot be made: \(error.reason)")
    }
  }
}

/// The text of a COCO annotation file.
private struct ShapesAnnotationFile {
  private var images: [JSON] = []
  private var annotations: [JSON] = []
  private var annotationID = 0

  /// - Returns: the picture's file name.
  mutating func add(_ scene: ShapesScene, imageID: Int, ending: String) -> String {
    let digits = String(imageID)
    let fileName = String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".\(ending)"
    images.append(
      .object([
        ("id", .integer(imageID)), ("file_name", .text(fileName)), ("width", .integer(scene.size.width)),
        ("height", .integer(scene.size.height)),
      ]))
    for annotation in scene.annotations {
      annotationID += imageID % 3 == 0 ? 5 : 1
      annotations.append(entry(annotation, imageID: imageID, scene.size))
    }
    return fileName
  }

  private func entry(_ annotation: ShapesScene.Annotation, imageID: Int, _ size: ImageSize) -> JSON {
    let (bounds, extent) = (annotation.bounds, annotation.bounds.upper - annotation.bounds.lower)
    let box = [bounds.lower.x, bounds.lower.y, extent.x, extent.y].map { JSON.decimal($0, digits: 2) }
    return .object([
      ("id", .integer(annotationID)), ("image_id", .integer(imageID)),
      ("category_id", .integer(annotation.kind.categoryID)), ("bbox", .array(box)),
      ("area", .integer(annotation.area)), ("iscrowd", .integer(annotation.isCrowd ? 1 : 0)),
      ("segmentation", annotation.isCrowd ? runLengths(bounds, size) : .array([])),
    ])
  }

  /// A filled box with whole corners as COCO's uncompressed run lengths: column by column, beginning with the zeros.
  private func runLengths(_ bounds: Bounds, _ size: ImageSize) -> JSON {
    let (left, right) = (Int(bounds.lower.x), Int(bounds.upper.x))
    let (top, bottom) = (Int(bounds.lower.y), Int(bounds.upper.y))
    let between = size.height - (bottom - top)
    var counts = [left * size.height + top]
    for column in left..<right { counts += [bottom - top, column < right - 1 ? between : 0] }
    counts[counts.count - 1] = size.height - bottom + (size.width - right) * size.height
    return .object([
      ("size", .array([.integer(size.height), .integer(size.width)])), ("counts", .array(counts.map(JSON.integer))),
    ])
  }

  /// A picture, an annotation, a category on a line each.
  var text: String {
    let categories = ShapeKind.allCases.map {
      JSON.object([("id", .integer($0.categoryID)), ("name", .text("\($0)")), ("supercategory", .text("shape"))])
    }
    func lines(_ elements: [JSON]) -> String { elements.map { $0.text(.compact) }.joined(separator: ",\n") }
    let info = JSON.object([("description", .text("Synthetic shapes"))]).text(.compact)
    return #"{"info":\#(info),"images":[\#n\#(lines(images))],\#n"annotations":[\#n\#(lines(annotations))],\#n"#
      + #""categories":[\#n\#(lines(categories))]}\#n"#
  }
}
