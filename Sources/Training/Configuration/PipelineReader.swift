import COCO

extension MultiscaleMode: ConfigurationChoice {}
extension FlipDirection: ConfigurationChoice {}

/// Reads the steps of a `pipeline`.
struct PipelineReader {
  let isForTraining: Bool
  /// `MultiScaleFlipAug.img_scale`, while its transforms are read: the scale that their `Resize` works with.
  private var testScale: ImageScale?

  init(isForTraining: Bool) { self.isForTraining = isForTraining }

  func read(_ dataset: ConfigurationSection) throws -> [PipelineStep] {
    var isWrapped = false
    let steps = try dataset.sections("pipeline") { step in
      if step.node("type").flatMap(String.init(configuration:)) == "MultiScaleFlipAug", !isForTraining {
        isWrapped = true
        return try readTestAugmentation(step)
      }
      return try readStep(step)
    }
    guard let steps else { throw dataset.missing("pipeline", expected: "a list of steps") }
    guard isForTraining || isWrapped else {
      throw dataset.error("pipeline", "has no 'MultiScaleFlipAug', which holds the steps of a test pipeline")
    }
    return steps.flatMap { $0 }
  }

  /// One scale and no flip: the plain test of one picture.
  private func readTestAugmentation(_ section: ConfigurationSection) throws -> [PipelineStep] {
    let scales = try Self.scales(section)
    guard scales.count == 1 else {
      throw section.error("img_scale", "has several scales: testing at them is not supported yet", hint: "give one")
    }
    try section.unsupported("flip", "scale_factor")
    section.accept("type", "flip_direction")
    var inner = self
    inner.testScale = scales[0]
    let steps = try section.sections("transforms") { try inner.readStep($0) }
    guard let steps else { throw section.missing("transforms", expected: "a list of steps") }
    return steps.flatMap { $0 }
  }

  /// The step, or nothing where it has no meaning here.
  private func readStep(_ section: ConfigurationSection) throws -> [PipelineStep] {
    let type = try section.type(
      "LoadImageFromFile", "LoadAnnotations", "Resize", "RandomFlip", "Normalize", "Pad", "DefaultFormatBundle",
      "ImageToTensor", "Collect")
    switch type {
    case "Resize": return [try resize(section)]
    case "RandomFlip": return try flip(section)
    case "Normalize": return [try normalize(section)]
    case "Pad": return [try pad(section)]
    case "LoadImageFromFile":
      try section.only("color_type", "color")
      section.accept("to_float32")
      section.ignore("file_client_args", because: "images are read from the file system")
    case "LoadAnnotations":
      try section.only("with_bbox", true)
      try section.only("with_label", true)
      try section.unsupported("with_mask", "with_seg")
      section.accept("poly2mask", "file_client_args")
    default:
      section.accept("keys", "meta_keys")
    }
    return []
  }

  private func resize(_ section: ConfigurationSection) throws -> PipelineStep {
    try section.unsupported("ratio_range", "override")
    section.ignore("backend", because: "one implementation, with cv2's results")
    let mode = try section.optional("multiscale_mode") ?? MultiscaleMode.range
    let scales = if let testScale { [testScale] } else { try Self.scales(section) }
    section.accept("img_scale")
    if mode == .range, scales.count > 2 {
      throw section.error("img_scale", "has \(scales.count) scales, expected 2 with multiscale_mode range")
    }
    return .resize(
      scales: scales, mode: scales.count == 1 ? .value : mode, keepRatio: try section.optional("keep_ratio") ?? true,
      clipsBoxes: try section.optional("bbox_clip_border") ?? true)
  }

  /// `img_scale`: a pair (width, height), or a list of pairs.
  private static func scales(_ section: ConfigurationSection) throws -> [ImageScale] {
    guard let node = section.node("img_scale") else {
      throw section.missing("img_scale", expected: "a pair: width, height")
    }
    let pairs = [Int](configuration: node).map { [$0] } ?? [[Int]](configuration: node)
    guard let pairs, !pairs.isEmpty, pairs.allSatisfy({ $0.count == 2 && $0[0] > 0 && $0[1] > 0 }) else {
      throw section.mismatch("img_scale", expected: "a pair (width, height) or a list of pairs")
    }
    return pairs.map { ImageScale(width: $0[0], height: $0[1]) }
  }

  /// In a test pipeline `MultiScaleFlipAug.flip` decides, and it is false.
  private func flip(_ section: ConfigurationSection) throws -> [PipelineStep] {
    let direction = try section.optional("direction") ?? FlipDirection.horizontal
    let ratio: Float = try section.optional("flip_ratio") ?? 0
    try section.check(ratio >= 0 && ratio <= 1, "flip_ratio", expected: "a number from 0 to 1")
    return isForTraining && ratio > 0 ? [.randomFlip(ratio: ratio, direction: direction)] : []
  }

  private func normalize(_ section: ConfigurationSection) throws -> PipelineStep {
    let mean: [Double] = try section.required("mean")
    let std: [Double] = try section.required("std")
    try section.check(mean.count == 3, "mean", expected: "3 numbers")
    try section.check(std.count == 3 && std.allSatisfy { $0 > 0 }, "std", expected: "3 numbers above 0")
    return .normalize(mean: mean, std: std, toRGB: try section.optional("to_rgb") ?? true)
  }

  private func pad(_ section: ConfigurationSection) throws -> PipelineStep {
    try section.unsupported("size")
    try section.only("pad_val", 0.0)
    let divisor: Int = try section.required("size_divisor")
    try section.check(divisor > 0, "size_divisor", expected: "a number from 1 on")
    return .pad(sizeDivisor: divisor)
  }
}
