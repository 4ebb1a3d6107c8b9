import COCO

extension MultiscaleMode: ConfigurationChoice {}
extension FlipDirection: ConfigurationChoice {}

/// Reads the steps of a `pipeline`.
struct PipelineReader {
  let isForTraining: Bool
  /// What `Collect.keys` names.
  private(set) var collected: Set<String> = []
  /// `LoadAnnotations.with_label`.
  private(set) var loadsLabels = false
  /// `LoadProposals` with its `num_max_proposals`.
  private var loading: (isThere: Bool, most: Int?) = (false, nil)
  private var hasResized = false
  /// `MultiScaleFlipAug.img_scale`, while its transforms are read: the scale that their `Resize` works with.
  private var testScale: ImageScale?

  init(isForTraining: Bool) { self.isForTraining = isForTraining }

  mutating func read(_ dataset: ConfigurationSection) throws -> [PipelineStep] {
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
  private mutating func readTestAugmentation(_ section: ConfigurationSection) throws -> [PipelineStep] {
    let scales = try Self.scales(section)
    guard scales.count == 1 else {
      throw section.error("img_scale", "has several scales: testing at them is not supported yet", hint: "give one")
    }
    try section.unsupported("flip", "scale_factor")
    section.accept("type")
    section.ignore("flip_direction", because: "'flip' is false")
    testScale = scales[0]
    defer { testScale = nil }
    let steps = try section.sections("transforms") { try readStep($0) }
    guard let steps else { throw section.missing("transforms", expected: "a list of steps") }
    return steps.flatMap { $0 }
  }

  /// The step, or nothing where it has no meaning here.
  private mutating func readStep(_ section: ConfigurationSection) throws -> [PipelineStep] {
    let type = try section.type(
      "LoadImageFromFile", "LoadAnnotations", "LoadProposals", "Resize", "RandomFlip", "Normalize", "Pad",
      "DefaultFormatBundle",
      "ImageToTensor", "ToTensor", "Transpose", "ToDataContainer", "WrapFieldsToLists", "Collect")
    switch type {
    case "LoadProposals": try loadProposals(section)
    case "Resize":
      hasResized = true
      return [try resize(section)]
    case "RandomFlip": return try flip(section)
    case "Normalize": return [try normalize(section)]
    case "Pad": return [try pad(section)]
    case "LoadImageFromFile":
      try section.only("color_type", "color")
      section.ignore("file_client_args", because: "images are read from the file system")
      if try section.optional("to_float32") ?? false { return [.loadAsFloats] }
    case "LoadAnnotations":
      try section.only("with_bbox", true)
      loadsLabels = try section.optional("with_label") ?? true
      try section.unsupported("with_mask", "with_seg")
      section.ignore("poly2mask", because: "there are no masks")
      section.ignore("file_client_args", because: "annotations are read from the file system")
    case "Collect":
      collected = Set(try fields(section, ofImage: isForTraining ? ["img", "gt_bboxes"] : ["img"]))
      section.ignore("meta_keys", because: "the detector always knows what it needs of a picture")
    default: try format(section, type)
    }
    return []
  }

  private mutating func loadProposals(_ section: ConfigurationSection) throws {
    guard !hasResized else {
      throw section.error("type", "comes after Resize, which moves proposals with the picture", hint: "put it before")
    }
    loading = (true, try section.optional("num_max_proposals"))
    try section.check((loading.most ?? 1) > 0, "num_max_proposals", expected: "a number from 1 on, or null for all")
  }

  /// What the pipeline that was read takes of `proposal_file`; nil where it has no `LoadProposals`.
  func proposals(_ dataset: ConfigurationSection, in root: String) throws -> ProposalUse? {
    guard loading.isThere else {
      dataset.ignore("proposal_file", because: "the pipeline has no LoadProposals")
      return nil
    }
    guard let file: String = try dataset.optional("proposal_file") else {
      throw dataset.error("pipeline", "has LoadProposals, but there is no 'proposal_file' beside it")
    }
    guard collected.contains("proposals") else {
      throw dataset.error("pipeline", "loads proposals that 'Collect' leaves out; expected 'proposals' in its keys")
    }
    return ProposalUse(file: DatasetConfiguration.join(root, file), numMaxProposals: loading.most)
  }

  /// Pictures and boxes are in the detector's layout anyway; what a formatting step names must be something there is.
  private func format(_ section: ConfigurationSection, _ type: String) throws {
    switch type {
    case "ImageToTensor": _ = try fields(section, ofImage: ["img"])
    case "ToTensor": _ = try fields(section)
    case "Transpose":
      _ = try fields(section, ofImage: ["img"])
      try section.only("order", [2, 0, 1])
    case "ToDataContainer":
      _ = try section.sections("fields") { field in
        try check(field, "key", holds: [field.required("key")])
        try field.only("padding_value", 0.0)
        field.ignore("stack", "pad_dims", "cpu_only", because: "pictures are stacked, boxes are not")
      }
    default: break
    }
  }

  /// The `keys` of a step.
  /// - Parameter required: what they have to name at least.
  private func fields(_ section: ConfigurationSection, ofImage required: [String] = []) throws -> [String] {
    let keys: [String] = try section.required("keys")
    try check(section, "keys", holds: keys)
    try section.check(
      required.allSatisfy(keys.contains), "keys", expected: "at least \(required.joined(separator: ", "))")
    return keys
  }

  private func check(_ section: ConfigurationSection, _ key: String, holds names: [String]) throws {
    let known = ["img", "gt_bboxes", "gt_labels", "gt_bboxes_ignore"] + (loading.isThere ? ["proposals"] : [])
    guard loading.isThere || !names.contains("proposals") else {
      throw section.error(key, "holds 'proposals', which no step before loads", hint: "put LoadProposals before Resize")
    }
    if let other = names.first(where: { !known.contains($0) }) {
      let supported = known.joined(separator: ", ")
      throw section.error(key, "holds '\(other)', which is not supported yet", hint: "supported: \(supported)")
    }
  }

  private func resize(_ section: ConfigurationSection) throws -> PipelineStep {
    try section.unsupported("ratio_range", "override")
    section.ignore("backend", because: "one implementation, with cv2's results")
    let mode = try section.optional("multiscale_mode") ?? MultiscaleMode.range
    let keepsRatio = try section.optional("keep_ratio") ?? true
    let clipsBoxes = try section.optional("bbox_clip_border") ?? true
    if let testScale {
      section.ignore("img_scale", "multiscale_mode", because: "in a test pipeline MultiScaleFlipAug.img_scale decides")
      if !loading.isThere { section.ignore("bbox_clip_border", because: "this test pipeline has no boxes") }
      return .resize(scales: [testScale], mode: .value, keepRatio: keepsRatio, clipsBoxes: clipsBoxes)
    }
    let scales = try Self.scales(section)
    if mode == .range, scales.count > 2 {
      throw section.error("img_scale", "has \(scales.count) scales, expected 2 with multiscale_mode range")
    }
    if scales.count == 1 { section.ignore("multiscale_mode", because: "'img_scale' is one scale") }
    return .resize(
      scales: scales, mode: scales.count == 1 ? .value : mode, keepRatio: keepsRatio, clipsBoxes: clipsBoxes)
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

  /// A ratio for each of the directions, or one that they share. In a test pipeline `MultiScaleFlipAug.flip` decides,
  /// and it is false.
  private func flip(_ section: ConfigurationSection) throws -> [PipelineStep] {
    guard isForTraining else {
      section.ignore("flip_ratio", "direction", because: "in a test pipeline MultiScaleFlipAug.flip decides")
      return []
    }
    let directionNode = section.node("direction")
    let direction = directionNode.map(FlipDirection.init(configuration:)) ?? .horizontal
    guard let directions = direction.map({ [$0] }) ?? directionNode.flatMap([FlipDirection].init(configuration:)),
      !directions.isEmpty
    else {
      throw section.mismatch("direction", expected: "\(FlipDirection.expected), or a list of them")
    }
    guard let node = section.node("flip_ratio") else {
      throw section.missing("flip_ratio", expected: "a number from 0 to 1")
    }
    let shared = Float(configuration: node).map { $0 / Float(directions.count) }
    let ratios = shared.map { [Float](repeating: $0, count: directions.count) } ?? [Float](configuration: node)
    guard let ratios, ratios.count == directions.count else {
      throw section.mismatch(
        "flip_ratio", expected: "a number from 0 to 1" + (shared == nil ? ", or one for each 'direction'" : ""))
    }
    let isPossible = ratios.allSatisfy { $0 >= 0 } && ratios.reduce(0, +) <= 1 + 1e-6
    try section.check(
      isPossible, "flip_ratio", expected: "a number from 0 to 1" + (shared == nil ? ", also in sum" : ""))
    return ratios.contains { $0 > 0 }
      ? [.randomFlip(zip(directions, ratios).map { FlipChance(direction: $0, ratio: $1) })] : []
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
