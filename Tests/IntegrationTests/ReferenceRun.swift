import COCO
import Foundation
import Primitives
import TestSupport
import Testing
import Training
import Yams

/// A detector of `detector.h5` as files that a user has: weights, pictures, annotations and a configuration, in the
/// folder of a program.
///
/// The reference's network inputs are multiples of 1/32 between -2.4 and 2.7, and zero where a picture is padded. So
/// bytes `32 · value + 128` and `Normalize` with mean 128 and std 32 give exactly them.
struct ReferenceRun {
  enum Notation: String, CaseIterable { case yaml, json }

  let golden: GoldenCase
  let folder: TemporaryFolder
  let program: Program
  let pictures: [ReferencePicture]

  init(_ golden: GoldenCase) throws {
    self.golden = golden
    folder = try TemporaryFolder()
    program = Program(folder: folder)
    pictures = try (0..<4).map { try ReferencePicture(golden, batch: $0 / 2, image: $0 % 2) }
    try writeWeights()
    try writePictures()
    let json = try configuration()
    try folder.write(json, to: "c.json")
    try folder.write(Self.dumped(json), to: "c.yaml")
  }

  var steps: Int { get throws { try #require(golden.integer("steps")) } }

  /// `start.h5`: mmdetection's state dict.
  private func writeWeights() throws {
    let arrays = try golden.members("inputs/state_dict").map { name in
      let dataset = "inputs/state_dict/\(name)"
      return try Checkpoint.Array(name: name, shape: golden.shape(dataset), values: golden.floats(dataset))
    }
    let checkpoint = Checkpoint(
      created: "2021-04-01", producer: "mmdetection 2.11.0", epoch: 0, iteration: 0, worldSize: 1, globalBatch: 2,
      seed: 0, configuration: "", classes: ["a", "b", "c", "d"], categoryIDs: [1, 2, 3, 4], model: arrays)
    try Data(checkpoint.image()).write(to: URL(fileURLWithPath: folder.path("start.h5")))
  }

  /// `1.png` to `4.png` for training, `large1.png` … for testing; `train.json`, and `test1.json` … with one picture each.
  private func writePictures() throws {
    for (index, picture) in pictures.enumerated() {
      try ImageEncoder.write(picture.pixels, picture.size, .rgb, to: folder.path("\(index + 1).png"))
      let (large, size) = picture.enlarged
      try ImageEncoder.write(large, size, .rgb, to: folder.path("large\(index + 1).png"))
      let entry = ReferencePicture.entry(id: index + 1, "large\(index + 1).png", size)
      try folder.write(ReferencePicture.annotations(images: [entry], objects: []), to: "test\(index + 1).json")
    }
    let images = pictures.enumerated().map { ReferencePicture.entry(id: $0 + 1, "\($0 + 1).png", $1.size) }
    let objects = pictures.enumerated().flatMap { index, picture in picture.objects.map { (index + 1, $0) } }
    let texts = objects.enumerated().map { number, object in object.1.text(id: number + 1, image: object.0) }
    try folder.write(ReferencePicture.annotations(images: images, objects: texts), to: "train.json")
  }

  private func configuration() throws -> String {
    let normalize = #"{"type": "Normalize", "mean": [128.0, 128.0, 128.0], "std": [32.0, 32.0, 32.0], "to_rgb": true}"#
    let clip =
      golden.flag("has_grad_clip") == true
      ? #"{"max_norm": \#(try number("grad_clip_max_norm")), "norm_type": \#(try number("grad_clip_norm_type"))}"#
      : "null"
    return """
      {"model": \(try #require(golden.string("cfg"))),
      "data": {"samples_per_gpu": 2, "workers_per_gpu": 1,
      "train": {"type": "CocoDataset", "ann_file": "train.json", "img_prefix": ".", "classes": ["a", "b", "c", "d"],
      "filter_empty_gt": false, "pipeline": [{"type": "LoadImageFromFile"},
      {"type": "LoadAnnotations", "with_bbox": true},
      {"type": "RandomFlip", "flip_ratio": 0.0}, \(normalize), {"type": "Pad", "size_divisor": 32},
      {"type": "DefaultFormatBundle"},
      {"type": "Collect", "keys": ["img", "gt_bboxes", "gt_labels", "gt_bboxes_ignore"]}]},
      "test": {"type": "CocoDataset", "ann_file": "test1.json", "img_prefix": ".", "classes": ["a", "b", "c", "d"],
      "pipeline": [{"type": "LoadImageFromFile"}, {"type": "MultiScaleFlipAug", "img_scale": [128, 96], "flip": false,
      "transforms": [{"type": "Resize", "keep_ratio": false}, {"type": "RandomFlip"}, \(normalize),
      {"type": "Pad", "size_divisor": 32}, {"type": "ImageToTensor", "keys": ["img"]},
      {"type": "Collect", "keys": ["img"]}]}]}},
      "optimizer": {"type": "SGD", "lr": \(try number("lr")), "momentum": \(try number("momentum")),
      "weight_decay": \(try number("weight_decay"))},
      "optimizer_config": {"grad_clip": \(clip)},
      "lr_config": {"policy": "fixed"}, "runner": {"type": "EpochBasedRunner", "max_epochs": \(try steps / 2)},
      "evaluation": null, "checkpoint_config": {"interval": 1},
      "log_config": {"interval": 1, "hooks": [{"type": "TextLoggerHook"}]},
      "workflow": [["train", 1]], "mpi": {"shuffle": false}}

      """
  }

  private func number(_ attribute: String) throws -> Double { try #require(golden.number(attribute)) }

  /// The same in blocks without quotes and with Python's tuples, as mmcv dumps it.
  private static func dumped(_ json: String) throws -> String {
    func block(_ node: Node, isTuple: Bool = false) -> Node {
      switch node {
      case .mapping(let pairs):
        .mapping(
          .init(
            pairs.map { (block($0.key), block($0.value, isTuple: $0.key.string == "img_scale")) }, .implicit, .block))
      case .sequence(let items):
        .sequence(
          .init(items.map { block($0) }, isTuple ? Tag("tag:yaml.org,2002:python/tuple") : .implicit, .block))
      case .scalar(let scalar): .scalar(.init(scalar.string, scalar.tag, .any))
      case .alias: node
      }
    }
    return try Yams.serialize(node: block(#require(try Yams.compose(yaml: json))))
  }
}

/// One picture of a reference's batch.
struct ReferencePicture {
  struct Object {
    let box: [Float]
    let category: Int
    let isCrowd: Bool

    /// Differences of single-precision numbers of this size are exact in double precision, and so are their sums.
    func text(id: Int, image: Int) -> String {
      let corners = box.map { Double($0) }
      let (width, height) = (corners[2] - corners[0], corners[3] - corners[1])
      return #"{"id": \#(id), "image_id": \#(image), "category_id": \#(category), "iscrowd": \#(isCrowd ? 1 : 0), "#
        + #""bbox": [\#(corners[0]), \#(corners[1]), \#(width), \#(height)], "area": \#(width * height)}"#
    }
  }

  let size: ImageSize
  /// RGB, in the network's size without padding.
  let pixels: [UInt8]
  /// Ground truths and ignored regions.
  let objects: [Object]
  /// The network's width and height over those of mmdetection's picture.
  let scaleFactor: (x: Float, y: Float)

  init(_ golden: GoldenCase, batch: Int, image: Int) throws {
    let group = "inputs/batch_\(batch)"
    let shapes = try golden.integers("\(group)/img_shapes")
    let factors = try golden.floats("\(group)/scale_factors")
    size = ImageSize(height: shapes[3 * image], width: shapes[3 * image + 1])
    scaleFactor = (factors[4 * image], factors[4 * image + 1])
    pixels = try Self.bytes(golden, group, image, size)
    func boxes(_ name: String) throws -> [[Float]] {
      guard golden.has("\(group)/\(name)") else { return [] }
      let values = try golden.floats("\(group)/\(name)")
      return stride(from: 0, to: values.count, by: 4).map { Array(values[$0..<$0 + 4]) }
    }
    let labels = try golden.integers("\(group)/gt_labels_\(image)")
    objects =
      try zip(boxes("gt_bboxes_\(image)"), labels).map { Object(box: $0, category: $1 + 1, isCrowd: false) }
      + boxes("gt_bboxes_ignore_\(image)").map { Object(box: $0, category: 1, isCrowd: true) }
  }

  /// Fails if a number is none that a byte becomes, or the padding is not zero.
  private static func bytes(_ golden: GoldenCase, _ group: String, _ image: Int, _ size: ImageSize) throws -> [UInt8] {
    let shape = try golden.shape("\(group)/img")
    let values = channelsInnermost(try golden.floats("\(group)/img"), shape)
    let (height, width) = (shape[2], shape[3])
    var pixels: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        let start = ((image * height + y) * width + x) * 3
        let pixel = values[start..<start + 3]
        if y < size.height && x < size.width {
          pixels += try pixel.map { try #require(UInt8(exactly: $0 * 32 + 128)) }
        } else {
          try #require(pixel.allSatisfy { $0 == 0 })
        }
      }
    }
    return pixels
  }

  /// Each pixel `enlargement` times, which `Resize` makes the same pixels of: it reads between equal ones.
  var enlarged: (pixels: [UInt8], size: ImageSize) {
    let (across, down) = Self.enlargement
    var result: [UInt8] = []
    for y in 0..<size.height * down {
      for x in 0..<size.width * across {
        let start = (y / down * size.width + x / across) * 3
        result += pixels[start..<start + 3]
      }
    }
    return (result, ImageSize(height: size.height * down, width: size.width * across))
  }

  static let enlargement = (across: 2, down: 4)

  static func entry(id: Int, _ name: String, _ size: ImageSize) -> String {
    #"{"id": \#(id), "file_name": "\#(name)", "width": \#(size.width), "height": \#(size.height)}"#
  }

  static func annotations(images: [String], objects: [String]) -> String {
    let categories = ["a", "b", "c", "d"].enumerated().map { #"{"id": \#($0 + 1), "name": "\#($1)"}"# }
    return #"{"images": [\#(images.joined(separator: ",\n"))], "annotations": [\#(objects.joined(separator: ",\n"))], "#
      + #""categories": [\#(categories.joined(separator: ", "))]}"#
  }
}
