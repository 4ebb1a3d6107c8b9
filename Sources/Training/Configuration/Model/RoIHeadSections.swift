import Detection

extension RoIHeadConfiguration {
  /// `roi_head` itself.
  init(_ section: ConfigurationSection) throws {
    self.init()
    let type = try section.type("StandardRoIHead", "DoubleHeadRoIHead")
    var stage = RoIStageConfiguration()
    if type == "DoubleHeadRoIHead" {
      let factor: Float = try section.required("reg_roi_scale_factor")
      try section.check(factor > 0 && factor <= 1000, "reg_roi_scale_factor", expected: "a number above 0")
      stage.regRoIScaleFactor = factor
    }
    stage.extractor = try section.requiredSection("bbox_roi_extractor", RoIExtractorConfiguration.init)
    stage.bboxHead = try section.requiredSection("bbox_head", BBoxHeadConfiguration.init)
    let isDouble = if case .doubleConvFC = stage.bboxHead.layers { true } else { false }
    try section.check(
      isDouble == (type == "DoubleHeadRoIHead"), "type",
      expected: "\(isDouble ? "DoubleHeadRoIHead" : "StandardRoIHead"), as the type of 'bbox_head' asks for")
    stages = [stage]
    try section.unsupported("mask_roi_extractor", "mask_head", "shared_head")
  }
}

extension RoIStageConfiguration {
  /// `train_cfg.rcnn`.
  mutating func readTraining(_ train: ConfigurationSection) throws {
    try train.requiredSection("rcnn") { section in
      assigner = try section.requiredSection("assigner", AssignerConfiguration.init)
      sampler = try section.requiredSection("sampler", SamplerConfiguration.init)
      try section.read("pos_weight", into: &posWeight)
      section.ignore("debug", unless: false, because: "mmdetection 2.11 does not look at it either")
      section.ignore("mask_size", because: "there is no mask head")
    }
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
