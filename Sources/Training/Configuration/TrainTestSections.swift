import Detection
import Layers

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
    if case .random(let random) = sampler, random.addGtAsProposals {
      throw section.error("sampler", "adds boxes to the anchors", hint: "set 'add_gt_as_proposals: false'")
    }
    return sampler
  }

  /// `test_cfg.rpn`.
  mutating func readTesting(_ test: ConfigurationSection) throws {
    testProposals = try test.requiredSection("rpn", ProposalConfiguration.init)
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

extension NMSConfiguration.SoftMethod: ConfigurationChoice {}

extension NMSConfiguration {
  init(_ section: ConfigurationSection) throws {
    self.init()
    kind = try section.type("nms", "soft_nms", default: "nms") == "nms" ? .nms : .softNMS
    let older: Float? = try section.optional("iou_thr")
    section.notice("iou_thr", "is the older name of 'iou_threshold'")
    guard let threshold = try section.optional("iou_threshold") ?? older ?? (kind == .softNMS ? 0.3 : nil) else {
      throw section.missing("iou_threshold", expected: "a number from 0 to 1")
    }
    iouThreshold = threshold
    let name = section.has("iou_threshold") ? "iou_threshold" : "iou_thr"
    try section.check(threshold >= 0 && threshold <= 1, name, expected: "a number from 0 to 1")
    try section.read("class_agnostic", into: &classAgnostic)
    try section.read("split_thr", into: &splitThr)
    guard kind == .softNMS else { return }
    try section.read("method", into: &softMethod)
    try section.read("sigma", into: &sigma)
    try section.check(sigma > 0, "sigma", expected: "a number above 0")
    try section.read("min_score", into: &minScore)
    if softMethod == .gaussian {
      section.ignore("iou_threshold", "iou_thr", because: "method gaussian has no threshold")
    } else {
      section.ignore("sigma", because: "only method gaussian has it")
    }
  }
}

extension AssignerConfiguration {
  init(_ section: ConfigurationSection) throws {
    _ = try section.type("MaxIoUAssigner")
    self = .maxIoU(try MaxIoUAssignerConfiguration(section))
  }
}

extension MaxIoUAssignerConfiguration {
  fileprivate init(_ section: ConfigurationSection) throws {
    self.init()
    posIoUThr = try section.required("pos_iou_thr")
    guard let node = section.node("neg_iou_thr") else { throw section.missing("neg_iou_thr", expected: "a number") }
    if let threshold = Float(configuration: node) {
      negIoUThr = Range(high: threshold)
    } else if let pair = [Float](configuration: node), pair.count == 2 {
      negIoUThr = Range(low: pair[0], high: pair[1])
    } else {
      throw section.mismatch("neg_iou_thr", expected: "a number, or a pair: from, to")
    }
    try section.read("min_pos_iou", into: &minPosIoU)
    try section.read("gt_max_assign_all", into: &gtMaxAssignAll)
    try section.read("ignore_iof_thr", into: &ignoreIoFThr)
    try section.read("ignore_wrt_candidates", into: &ignoreWrtCandidates)
    try section.read("match_low_quality", into: &matchLowQuality)
    section.ignore("gpu_assign_thr", because: "there is no GPU")
    try section.section("iou_calculator") { _ = try $0.type("BboxOverlaps2D") }
  }
}

extension SamplerConfiguration {
  init(_ section: ConfigurationSection) throws {
    if try section.type("RandomSampler", "PseudoSampler") == "PseudoSampler" {
      self = .pseudo
      section.ignoreRest(because: "PseudoSampler takes everything")
    } else {
      self = .random(try RandomSamplerConfiguration(section))
    }
  }
}

extension RandomSamplerConfiguration {
  /// `add_gt_as_proposals` is true unless written, as in mmdetection.
  fileprivate init(_ section: ConfigurationSection) throws {
    self.init()
    num = try section.required("num")
    try section.check(num > 0, "num", expected: "a number from 1 on")
    posFraction = try section.required("pos_fraction")
    try section.check(posFraction >= 0 && posFraction <= 1, "pos_fraction", expected: "a number from 0 to 1")
    try section.read("neg_pos_ub", into: &negPosUB)
    addGtAsProposals = try section.optional("add_gt_as_proposals") ?? true
    section.ignore("rng", because: "draws depend on the seed, the epoch and the image")
  }
}
