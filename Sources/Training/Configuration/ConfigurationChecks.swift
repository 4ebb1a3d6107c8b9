import COCO
import Detection
import Layers

/// What has to fit together between the parts of a configuration. mmdetection finds most of these out at the first
/// step, in a tensor operation; here they are found when the configuration is read.
extension RunConfiguration {
  /// - Parameter node: where the values were read, for the places of messages.
  func check(against node: ConfigurationNode) throws {
    let check = FittingCheck(root: node)
    try check.values(self)
    try check.neck(model)
    try check.channels(model)
    try check.strides(model)
    try check.groups(model)
    if let numClasses = model.numClasses { try check.classes(data, numClasses: numClasses) }
    if evaluation != nil, data.val == nil {
      throw check.error("evaluation", "needs 'data.val', which is absent")
    }
    try check.evaluation(self)
    try check.inputs(self)
  }
}

/// Looks for what does not fit, and says where it is written.
struct FittingCheck {
  let root: ConfigurationNode

  /// An error at the value with this dotted path, or at the nearest part of it that is written.
  func error(_ path: String, _ message: String) -> ConfigurationError {
    var keys = path.split(separator: ".").map(String.init)
    while !keys.isEmpty {
      if let value = root.value(at: keys) { return ConfigurationError(value.place, "'\(path)' \(message)") }
      keys.removeLast()
    }
    return ConfigurationError(root.place, "'\(path)' \(message)")
  }

  private func expect<Value: Equatable>(_ path: String, _ found: Value, _ expected: Value, _ reason: String) throws {
    if found != expected { throw error(path, "is \(found), expected \(expected): \(reason)") }
  }

  /// The path of a part of a stage of the RoI head: with the stage's number where a list is written.
  func path(_ part: String, ofStage number: Int) -> String {
    let isListed = root.value(at: part.split(separator: ".").map(String.init))?.elements != nil
    return isListed ? "\(part).\(number)" : part
  }

  func channels(_ model: TwoStageConfiguration) throws {
    let channels = model.levels[0].channels
    let source = model.neck == nil ? "the channels of the backbone's maps" : "the channels of 'model.neck.out_channels'"
    switch model.source {
    case .rpnHead(let rpnHead): try expect("model.rpn_head.in_channels", rpnHead.inChannels, channels, source)
    case .given: break
    }
    for (number, stage) in (model.roiHead?.stages ?? []).enumerated() {
      let head = path("model.roi_head.bbox_head", ofStage: number)
      switch stage.extractor {
      case .single(let extractor):
        try expect(
          "\(path("model.roi_head.bbox_roi_extractor", ofStage: number)).out_channels", extractor.outChannels, channels,
          source)
        try bboxHead(stage.bboxHead, head, extractor, model.roiHead?.sharedHead)
      }
      try expect(
        "\(head).num_classes", stage.bboxHead.numClasses, model.numClasses ?? 0,
        "as many as the first stage tells apart")
    }
  }

  /// The box head takes what the extractor gives, or what the shared head makes of it.
  private func bboxHead(
    _ head: BBoxHeadConfiguration, _ path: String, _ extractor: SingleRoIExtractorConfiguration,
    _ sharedHead: SharedHeadConfiguration?
  ) throws {
    var (channels, source) = (extractor.outChannels, "'bbox_roi_extractor.out_channels'")
    var sizes = [extractor.outputHeight, extractor.outputWidth]
    if let sharedHead {
      let layer = sharedHead.layer
      guard layer.inChannels == channels else {
        throw error(
          "model.roi_head.shared_head",
          "takes \(layer.inChannels) channels, as stage \(sharedHead.stage) of the backbone would, but "
            + "'bbox_roi_extractor.out_channels' is \(channels)")
      }
      if case .group(let groups, _) = layer.norm, groups < 1 || layer.innerChannels % groups != 0 {
        throw error(
          "model.roi_head.shared_head.norm_cfg.num_groups",
          "is \(groups), expected a divisor of its \(layer.innerChannels) channels")
      }
      (channels, source) = (layer.outChannels, "'shared_head'")
      sizes = sizes.map(sharedHead.outputSize)
    }
    try expect("\(path).in_channels", head.inChannels, channels, "the channels of \(source)")
    try expect(
      "\(path).roi_feat_size", [head.roiFeatSize, head.roiFeatSize], sizes,
      sharedHead == nil
        ? "the 'output_size' of the roi_layer" : "what 'shared_head' makes of the roi_layer's 'output_size'")
  }

  /// The neck takes the backbone's maps.
  func neck(_ model: TwoStageConfiguration) throws {
    switch (model.backbone, model.neck) {
    case (_, nil): break
    case (.resNet(let backbone), .fpn(let neck)?):
      try expect(
        "model.neck.in_channels", neck.inChannels, backbone.levels.map(\.channels),
        "the channels of the backbone's stages \(backbone.outIndices) \(Self.reason(of: backbone))")
    }
  }

  /// What the backbone's widths follow from.
  private static func reason(of backbone: ResNetConfiguration) -> String {
    if case .regNet = backbone.variant { return "with this 'arch'" }
    return "with depth \(backbone.depth) and base_channels \(backbone.baseChannels)"
  }

  func strides(_ model: TwoStageConfiguration) throws {
    let strides = model.levels.map(\.stride)
    let owner = model.neck == nil ? "backbone" : "neck"
    switch model.source {
    case .given: break
    case .rpnHead(let rpnHead):
      try expect(
        "model.rpn_head.anchor_generator.strides", rpnHead.anchorGenerator.strides.map { [$0.width, $0.height] },
        strides.map { [$0, $0] }, "the strides of the \(owner)'s \(strides.count) levels, as (width, height)")
    }
    for (number, stage) in (model.roiHead?.stages ?? []).enumerated() {
      switch stage.extractor {
      case .single(let extractor):
        try expect(
          "\(path("model.roi_head.bbox_roi_extractor", ofStage: number)).featmap_strides", extractor.featmapStrides,
          Array(strides.prefix(max(1, extractor.featmapStrides.count))), "the strides of the \(owner)'s first levels")
      }
    }
  }

  func groups(_ model: TwoStageConfiguration) throws {
    switch model.backbone {
    case .resNet(let backbone):
      try groups(backbone.norm, channels: backbone.baseChannels, "model.backbone", "base_channels")
      if case .group(let groups, _) = backbone.norm,
        let channels = backbone.normChannels.sorted().first(where: { $0 % groups != 0 })
      {
        throw error(
          "model.backbone.norm_cfg.num_groups",
          "is \(groups), expected a divisor of the channels of all its norms, and one has \(channels)")
      }
    }
    switch model.neck {
    case nil: break
    case .fpn(let neck)?:
      if let norm = neck.norm { try groups(norm, channels: neck.outChannels, "model.neck", "out_channels") }
    }
  }

  private func groups(_ norm: NormConfiguration, channels: Int, _ owner: String, _ key: String) throws {
    guard case .group(let groups, _) = norm, groups < 1 || channels % groups != 0 else { return }
    throw error(
      "\(owner).norm_cfg.num_groups", "is \(groups), expected a divisor of '\(owner).\(key)', which is \(channels)")
  }

  func classes(_ data: DataSection, numClasses: Int) throws {
    let parts =
      [("train", data.train)]
      + [("val", data.val), ("test", data.test)].compactMap { name, part in
        part.map { (name, $0) }
      }
    for (name, part) in parts {
      guard let classes = part.classes else { continue }
      guard classes.count == numClasses else {
        throw error(
          "\(path("model.roi_head.bbox_head", ofStage: 0)).num_classes",
          "is \(numClasses), expected \(classes.count), as 'data.\(name).classes' has \(classes.count) names")
      }
      guard data.train.classes ?? classes == classes else {
        throw error(
          "data.\(name).classes", "differs from 'data.train.classes'; expected the same names in the same order")
      }
    }
  }

  /// What the detector learns from comes with the pictures.
  func inputs(_ run: RunConfiguration) throws {
    if run.model.roiHead != nil, !run.data.train.collectsLabels {
      throw error(
        "data.train.pipeline",
        "gives no gt_labels, which a detector of classes needs: 'LoadAnnotations' with them, and "
          + "'gt_labels' in the keys of 'Collect'")
    }
    for (name, part) in [("train", run.data.train), ("val", run.data.val), ("test", run.data.test)] {
      guard let part else { continue }
      if run.model.source == .given, part.proposals == nil {
        throw error(
          "data.\(name)",
          "names no proposals, which a FastRCNN needs: 'proposal_file', 'LoadProposals' in the pipeline, and "
            + "'proposals' in the keys of 'Collect'")
      }
      if run.model.source != .given, part.proposals != nil {
        throw error("data.\(name).pipeline", "loads proposals, but the detector makes its own; expected a FastRCNN")
      }
    }
  }
}
