import Detection

extension RunConfiguration {
  /// `model`, with `train_cfg` and `test_cfg` inside it or, as before mmdetection 2.10, beside it.
  mutating func readModel(_ topLevel: ConfigurationSection) throws {
    try topLevel.requiredSection("model") { section in
      _ = try section.type("FasterRCNN", "CascadeRCNN")
      pretrained = try section.optional("pretrained")
      model.backbone = try section.requiredSection("backbone", BackboneConfiguration.init)
      model.neck = try NeckConfiguration(in: section)
      var rpnHead = try section.requiredSection("rpn_head", RPNHeadConfiguration.init)
      model.roiHead = try section.requiredSection("roi_head", RoIHeadConfiguration.init)
      try Self.owner(of: "test_cfg", section, topLevel).requiredSection("test_cfg") { test in
        try rpnHead.readTesting(test)
        try model.roiHead.detection.readTesting(test)
      }
      try Self.owner(of: "train_cfg", section, topLevel).requiredSection("train_cfg") { train in
        try rpnHead.readTraining(train)
        try model.roiHead.readTraining(train)
      }
      model.source = .rpnHead(rpnHead)
    }
    topLevel.accept("train_cfg", "test_cfg")
  }

  private static func owner(
    of key: String, _ model: ConfigurationSection, _ topLevel: ConfigurationSection
  ) throws -> ConfigurationSection {
    let isInside = model.node(key) != nil
    guard topLevel.node(key) != nil else { return model }
    guard !isInside else { throw topLevel.error(key, "stands both at the top level and in 'model'", hint: "keep one") }
    topLevel.notice(key, "belongs in 'model' since mmdetection 2.10; it is read here too")
    return topLevel
  }
}
