import Detection
import Layers

extension RPNHeadConfiguration {
  /// `rpn_head` itself.
  init(_ section: ConfigurationSection) throws {
    self.init()
    _ = try section.type("RPNHead")
    inChannels = try section.required("in_channels")
    try section.read("feat_channels", into: &featChannels)
    try section.check(featChannels > 0, "feat_channels", expected: "a number from 1 on")
    anchorGenerator = try section.requiredSection("anchor_generator", AnchorGeneratorConfiguration.init)
    bboxCoder = try section.section("bbox_coder", BoxCoderConfiguration.init) ?? bboxCoder
    lossCls =
      try section.section("loss_cls") { try ClassificationLoss($0, "CrossEntropyLoss", "FocalLoss") }
      ?? ClassificationLoss(.sigmoid)
    try section.read("reg_decoded_bbox", into: &regDecodedBBox)
    lossBBox =
      try section.boxRegressionLoss(ofDecodedBoxes: regDecodedBBox) ?? BoxRegressionLoss(.smoothL1(beta: 1 / 9))
    let reductions = [("loss_cls", lossCls.reduction), ("loss_bbox", lossBBox.reduction)]
    for (key, reduction) in reductions where reduction == .none {
      throw section.error(
        key, "has 'reduction: none', which is not supported here: it would divide each level's loss by all its anchors",
        hint: "leave it out")
    }
    try section.read("num_convs", into: &numConvs)
    try section.check((1...64).contains(numConvs), "num_convs", expected: "a number from 1 to 64")
  }
}

extension RPNHeadConfiguration {
  /// `train_cfg.rpn` and `train_cfg.rpn_proposal`, in whose place `test_cfg.rpn` stands where it is absent. To be called
  /// after `readTesting`.
  mutating func readTraining(_ train: ConfigurationSection) throws {
    try train.requiredSection("rpn") { section in
      assigner = try section.requiredSection("assigner", AssignerConfiguration.init)
      sampler = try Self.sampler(section, for: lossCls)
      try section.read("allowed_border", into: &allowedBorder)
      try section.read("pos_weight", into: &posWeight)
      section.ignore("debug", unless: false, because: "mmdetection 2.11 does not look at it either")
    }
    trainProposals = try train.section("rpn_proposal", ProposalConfiguration.init) ?? testProposals
  }

  /// Without a sampler, and with focal loss, all anchors take part.
  private static func sampler(
    _ section: ConfigurationSection, for loss: ClassificationLoss
  ) throws -> SamplerConfiguration {
    guard loss.isSampled else {
      section.ignore("sampler", because: "FocalLoss looks at all anchors")
      return .pseudo
    }
    let sampler = try section.section("sampler", SamplerConfiguration.init) ?? .pseudo
    if case .random(let random) = sampler {
      if random.addGtAsProposals {
        throw section.error("sampler", "adds boxes to the anchors", hint: "set 'add_gt_as_proposals: false'")
      }
      if random.asksForLosses {
        throw section.error("sampler", "asks for the losses of a box head", hint: "OHEMSampler is for train_cfg.rcnn")
      }
    }
    return sampler
  }

  /// `test_cfg.rpn`.
  mutating func readTesting(_ test: ConfigurationSection) throws {
    testProposals = try test.requiredSection("rpn", ProposalConfiguration.init)
  }
}

extension ProposalConfiguration {
  /// With the older spelling that mmdetection 2.11 still takes: `max_num` for `max_per_img`, `nms_thr` for
  /// `nms.iou_threshold`. Where both stand they must agree.
  init(_ section: ConfigurationSection) throws {
    self.init()
    nmsPre = try section.required("nms_pre")
    let maxNum: Int? = try section.optional("max_num")
    let maxPerImg: Int? = try section.optional("max_per_img")
    if let maxNum, let maxPerImg, maxNum != maxPerImg {
      throw section.mismatch("max_num", expected: "\(maxPerImg), as 'max_per_img', whose older name it is")
    }
    guard let limit = maxPerImg ?? maxNum else { throw section.missing("max_per_img", expected: "a whole number") }
    self.maxPerImg = limit
    section.notice("max_num", "is the older name of 'max_per_img'")
    let nmsThr: Float? = try section.optional("nms_thr")
    section.notice("nms_thr", "is the older name of 'nms.iou_threshold'")
    if let nms = try section.section("nms", NMSConfiguration.init) {
      try section.check(
        nmsThr ?? nms.iouThreshold == nms.iouThreshold, "nms_thr",
        expected: "\(nms.iouThreshold), as 'nms.iou_threshold', whose older name it is")
      self.nms = nms
    } else if let nmsThr {
      nms.iouThreshold = nmsThr
    } else {
      throw section.missing("nms", expected: "a mapping with type and iou_threshold")
    }
    try section.read("min_bbox_size", into: &minBBoxSize)
    section.ignore("nms_across_levels", "nms_post", because: "mmdetection 2.11 does not look at it either")
  }
}
