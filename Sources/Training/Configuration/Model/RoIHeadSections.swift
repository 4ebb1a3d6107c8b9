import Detection

extension RoIHeadConfiguration {
  /// `roi_head` itself.
  init(_ section: ConfigurationSection) throws {
    self.init()
    _ = try section.type("StandardRoIHead")
    var stage = RoIStageConfiguration()
    stage.extractor = try section.requiredSection("bbox_roi_extractor", RoIExtractorConfiguration.init)
    stage.bboxHead = try section.requiredSection("bbox_head", BBoxHeadConfiguration.init)
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
