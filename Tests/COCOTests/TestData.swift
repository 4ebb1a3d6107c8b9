import COCO
import Foundation
import Primitives

/// Small annotation files, and the pictures in `Fixtures`.
enum TestData {
  static func fixture(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name)").path
  }

  /// An annotation file from JSON text, under the name `a.json`.
  static func file(_ text: String) throws -> AnnotationFile {
    try AnnotationFile(path: "a.json", bytes: Array(text.utf8))
  }

  static func json(
    images: String = #"{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48}"#, annotations: String = "",
    categories: String = #"{"id": 7, "name": "cat"}, {"id": 3, "name": "dog"}"#
  ) -> String {
    "{\"images\": [\(images)], \"annotations\": [\(annotations)], \"categories\": [\(categories)]}"
  }

  static func annotation(_ id: Int, image: Int = 1, category: Int = 7, bbox: String, _ more: String = "") -> String {
    "{\"id\": \(id), \"image_id\": \(image), \"category_id\": \(category), \"bbox\": \(bbox)\(more)}"
  }

  /// A data set of images with one box each, named like `name(index)`.
  static func dataset(
    sizes: [ImageSize], folder: String = "", rules: PictureRules = PictureRules(),
    name: (Int) -> String = { "\($0).jpg" }
  ) throws -> CocoDataset {
    let images = sizes.enumerated().map { index, size in
      "{\"id\": \(index * 10 + 5), \"file_name\": \"\(name(index))\", \"width\": \(size.width), \"height\": \(size.height)}"
    }
    let boxes = sizes.indices.map { annotation($0, image: $0 * 10 + 5, bbox: "[1, 2, 5, 4]") }
    let text = json(images: images.joined(separator: ","), annotations: boxes.joined(separator: ","))
    var configuration = DatasetConfiguration()
    configuration.imgPrefix = folder
    configuration.minSize = 1
    configuration.pictureRules = rules
    return try CocoDataset(try file(text), configuration: configuration, training: true)
  }

  /// 64-bit FNV-1a.
  static func hash(_ bytes: [UInt8]) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
