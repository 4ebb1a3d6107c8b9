import COCO
import Foundation
import Primitives

/// A picture of 128 × 96 pixels with boxes where the test wants them.
struct BoxedImage {
  struct Box {
    let x: Int
    let y: Int
    let side: Int
  }

  let boxes: [Box]

  /// Writes the training pictures and their annotations, and the same as validation.
  static func write(_ images: [BoxedImage], to folder: TemporaryFolder) throws {
    for split in ["train", "val"] {
      for name in ["data/\(split)", "data/annotations"] {
        try FileManager.default.createDirectory(atPath: folder.path(name), withIntermediateDirectories: true)
      }
      for (index, image) in images.enumerated() {
        try ImageEncoder.write(
          image.pixels(seed: index), size, .rgb, to: folder.path("data/\(split)/\(index + 1).png"))
      }
      try folder.write(annotations(images), to: "data/annotations/instances_\(split).json")
    }
  }

  private static let size = ImageSize(height: 96, width: 128)

  /// Bright boxes on a pattern.
  private func pixels(seed: Int) -> [UInt8] {
    let factor = seed * 6 + 7
    var pixels = (0..<Self.size.height * Self.size.width * 3).map { i -> UInt8 in UInt8(i * factor / 5 % 160) }
    for (number, box) in boxes.enumerated() {
      for y in box.y..<box.y + box.side {
        for x in box.x..<box.x + box.side { pixels[(y * Self.size.width + x) * 3 + number % 3] = 240 }
      }
    }
    return pixels
  }

  private static func annotations(_ images: [BoxedImage]) -> String {
    let pictures = images.indices.map {
      #"{"id": \#($0 + 1), "file_name": "\#($0 + 1).png", "width": \#(size.width), "height": \#(size.height)}"#
    }
    let boxes = images.enumerated().flatMap { index, image in image.boxes.map { (index + 1, $0) } }
    let objects = boxes.enumerated().map { number, object in
      let (image, box) = object
      return #"{"id": \#(number + 1), "image_id": \#(image), "category_id": \#(number % 5 + 1), "#
        + #""bbox": [\#(box.x), \#(box.y), \#(box.side), \#(box.side)], "area": \#(box.side * box.side), "iscrowd": 0}"#
    }
    let categories = ShapesDataset.classes.enumerated().map { #"{"id": \#($0 + 1), "name": "\#($1)"}"# }
    return
      #"{"images": [\#(pictures.joined(separator: ", "))], "annotations": [\#(objects.joined(separator: ",\n"))], "#
      + #""categories": [\#(categories.joined(separator: ", "))]}"#
  }
}
