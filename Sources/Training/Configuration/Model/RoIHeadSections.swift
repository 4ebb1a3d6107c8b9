import Detection

extension RoIHeadConfiguration {
  /// `roi_head` itself.
  /// - Parameter baseChannels: the backbone's.
  init(_ section: ConfigurationSection, baseChannels: Int) throws {
    self.init()
    switch try section.type("StandardRoIHead", "DoubleHeadRoIHead", "CascadeRoIHead") {
    case "CascadeRoIHead":
      kind = .cascade
      stages = try Self.cascade(section)
    case let type:
      stages[0].extractor = try section.requiredSection("bbox_roi_extractor", RoIExtractorConfiguration.init)
      stages[0].bboxHead = try section.requiredSection("bbox_head", BBoxHeadConfiguration.init)
      if type == "DoubleHeadRoIHead" {
        let factor: Float = try section.required("reg_roi_scale_factor")
        try section.check(factor > 0 && factor <= 1000, "reg_roi_scale_factor", expected: "a number above 0")
        stages[0].regRoIScaleFactor = factor
      }
    }
    for stage in stages { try check(stage, section) }
    try section.unsupported("mask_roi_extractor", "mask_head")
    // As in mmdetection, which takes none in a cascade.
    if kind == .cascade { try section.unsupported("shared_head") }
    sharedHead = try section.section("shared_head") {
      try SharedHeadConfiguration($0, baseChannels: baseChannels)
    }
  }

  /// The two kinds of regions of a Double-Head come with its head, and a cascade refines boxes by classes.
  private func check(_ stage: RoIStageConfiguration, _ section: ConfigurationSection) throws {
    let isDouble = if case .doubleConvFC = stage.bboxHead.layers { true } else { false }
    try section.check(
      isDouble == (stage.regRoIScaleFactor != nil), "type",
      expected: "\(isDouble ? "DoubleHeadRoIHead" : "StandardRoIHead"), as the type of 'bbox_head' asks for")
    try section.check(
      kind == .standard || (stage.bboxHead.withCls && stage.bboxHead.withReg), "bbox_head",
      expected: "'with_cls: true' and 'with_reg: true', as boxes are refined from stage to stage")
  }

  /// One extractor or head stands for all stages.
  private static func cascade(_ section: ConfigurationSection) throws -> [RoIStageConfiguration] {
    let count: Int = try section.required("num_stages")
    try section.check((1...16).contains(count), "num_stages", expected: "a number from 1 to 16")
    let weights: [Float] = try section.required("stage_loss_weights")
    try section.check(
      weights.count == count && weights.allSatisfy { $0 >= 0 && $0.isFinite }, "stage_loss_weights",
      expected: "a number from 0 on for each of the \(count) stages of 'num_stages'")
    let extractors = try section.sections("bbox_roi_extractor", repeating: count, RoIExtractorConfiguration.init)
    let heads = try section.sections("bbox_head", repeating: count, BBoxHeadConfiguration.init)
    return (0..<count).map { number in
      var stage = RoIStageConfiguration()
      (stage.extractor, stage.bboxHead, stage.weight) = (extractors[number], heads[number], weights[number])
      return stage
    }
  }

  /// `train_cfg.rcnn`: for a cascade a list with a mapping for each stage.
  mutating func readTraining(_ train: ConfigurationSection) throws {
    switch kind {
    case .standard: try train.requiredSection("rcnn") { try stages[0].readTraining($0) }
    case .cascade:
      let expected = "a list with a mapping for each of the \(stages.count) stages of the cascade"
      guard let node = train.node("rcnn") else { throw train.missing("rcnn", expected: expected) }
      try train.check(node.elements?.count == stages.count, "rcnn", expected: expected)
      var number = 0
      _ = try train.sections("rcnn") { section in
        try stages[number].readTraining(section)
        number += 1
      }
    }
  }
}

extension RoIStageConfiguration {
  /// An element of `train_cfg.rcnn`.
  fileprivate mutating func readTraining(_ section: ConfigurationSection) throws {
    assigner = try section.requiredSection("assigner", AssignerConfiguration.init)
    sampler = try section.requiredSection("sampler", SamplerConfiguration.init)
    try section.read("pos_weight", into: &posWeight)
    section.ignore("debug", unless: false, because: "mmdetection 2.11 does not look at it either")
    section.ignore("mask_size", because: "there is no mask head")
  }
}

extension DetectionConfiguration {
  /// `test_cfg.rcnn`.
  mutating func readTesting(_ test: ConfigurationSection) throws {
    try test.requiredSection("rcnn") { section in
      scoreThr = try section.required("score_thr")
      nms = try section.requiredSection("nms", NMSConfiguration.init)
      maxPerImg = try section.required("max_per_img")
      section.ignore("mask_thr_binary", because: "there is no mask head")
    }
  }
}
