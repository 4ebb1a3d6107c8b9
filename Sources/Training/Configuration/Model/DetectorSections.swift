import Detection

extension RunConfiguration {
  /// `model`, with `train_cfg` and `test_cfg` inside it or, as before mmdetection 2.10, beside it.
  mutating func readModel(_ topLevel: ConfigurationSection) throws {
    try topLevel.requiredSection("model") { section in
      let type = try section.type("FasterRCNN", "CascadeRCNN", "FastRCNN", "RPN")
      pretrained = try section.optional("pretrained")
      model.backbone = try section.requiredSection("backbone", BackboneConfiguration.init)
      model.neck = try NeckConfiguration.read(in: section)
      for (key, other) in [("roi_head", "RPN"), ("rpn_head", "FastRCNN")]
      where type == other && section.node(key) != nil {
        throw section.error(key, "has no place in a model of type \(other)", hint: "leave it out")
      }
      var rpnHead = type == "FastRCNN" ? nil : try section.requiredSection("rpn_head", RPNHeadConfiguration.init)
      model.roiHead = type == "RPN" ? nil : try readRoIHead(section)
      try Self.owner(of: "test_cfg", section, topLevel).requiredSection("test_cfg") { test in
        if rpnHead == nil { test.ignore("rpn", because: "there is no RPN") }
        if type == "RPN" { test.ignore("rcnn", because: "there is no RoI head") }
        try rpnHead?.readTesting(test)
        try model.roiHead?.detection.readTesting(test)
      }
      try Self.owner(of: "train_cfg", section, topLevel).requiredSection("train_cfg") { train in
        if rpnHead == nil { train.ignore("rpn", "rpn_proposal", because: "there is no RPN") }
        if type == "RPN" { train.ignore("rpn_proposal", "rcnn", because: "there is no RoI head") }
        try rpnHead?.readTraining(train)
        try model.roiHead?.readTraining(train)
      }
      model.source = rpnHead.map { .rpnHead($0) } ?? .given
    }
    topLevel.accept("train_cfg", "test_cfg")
  }

  private func readRoIHead(_ section: ConfigurationSection) throws -> RoIHeadConfiguration {
    let baseChannels =
      switch model.backbone {
      case .resNet(let backbone): backbone.baseChannels
      }
    return try section.requiredSection("roi_head") { try RoIHeadConfiguration($0, baseChannels: baseChannels) }
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
