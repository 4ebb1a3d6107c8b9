import COCO
import Foundation
import Primitives

/// JPEG pictures like COCO's in size, subsampling and bytes (640 x 480, about 155 kB), with an annotation file.
struct SyntheticPictures {
  static let size = ImageSize(height: 480, width: 640)

  let folder: String
  var annotationFile: String { "\(folder)/annotations.json" }

  /// Writes them into a new temporary folder.
  /// - Throws: `OutputError` where there is no room.
  init(count: Int) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("rcnn-bench-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for id in 0..<count {
      try ImageEncoder.write(Self.pixels(seed: id), Self.size, .rgb, to: "\(folder)/\(id).jpg", jpegQuality: 90)
    }
    let images = (0..<count).map {
      JSON.object([
        ("id", .integer($0)), ("file_name", .text("\($0).jpg")), ("width", .integer(Self.size.width)),
        ("height", .integer(Self.size.height)),
      ])
    }
    let annotations = (0..<count).map {
      JSON.object([
        ("id", .integer($0)), ("image_id", .integer($0)), ("category_id", .integer(1)),
        ("bbox", .array([100, 100, 200, 150].map(JSON.integer))), ("area", .integer(30000)), ("iscrowd", .integer(0)),
      ])
    }
    let categories = [JSON.object([("id", .integer(1)), ("name", .text("thing"))])]
    let file = JSON.object([
      ("images", .array(images)), ("annotations", .array(annotations)), ("categories", .array(categories)),
    ])
    try WholeFile.write(file.lines(), to: annotationFile, safety: .renamed)
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }

  /// Waves, edges and noise.
  private static func pixels(seed: Int) -> [UInt8] {
    var random = KeyedRandom(seed: 0, purpose: .test, item: Int64(seed))
    let columns = (0..<size.width).map { sin(Float($0 + 31 * seed) / 23) }
    let rows = (0..<size.height).map { cos(Float($0 + 17 * seed) / 31) }
    var pixels: [UInt8] = []
    pixels.reserveCapacity(size.height * size.width * 3)
    for y in 0..<size.height {
      for x in 0..<size.width {
        let edge: Float = (x / 37 + y / 53 + seed) % 3 == 0 ? 40 : 0
        let grey = 110 + edge + 60 * (random.uniform() - 0.5)
        for channel in 0..<3 {
          pixels.append(UInt8(max(0, min(255, grey + 40 * columns[x] * rows[(y + 40 * channel) % size.height]))))
        }
      }
    }
    return pixels
  }
}
