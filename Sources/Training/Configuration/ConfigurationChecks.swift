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
    try check.samplers(model)
    if evaluation != nil, model.roiHead?.stages.allSatisfy(\.bboxHead.withCls) == false {
      throw check.error("evaluation", "needs scores, and 'model.roi_head.bbox_head.with_cls' is false")
    }
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
      try extractor(
        stage.extractor, channels: channels, source, path("model.roi_head.bbox_roi_extractor", ofStage: number))
      try bboxHead(stage, head, channels: stage.extractor.outChannels(of: channels), model.roiHead?.sharedHead)
      try expect(
        "\(head).num_classes", stage.bboxHead.numClasses, model.numClasses ?? 0,
        "as many as the first stage tells apart")
    }
  }

  /// The box head takes what the extractor gives, or what the shared head makes of it.
  private func bboxHead(
    _ stage: RoIStageConfiguration, _ path: String, channels: Int, _ sharedHead: SharedHeadConfiguration?
  ) throws {
    var (channels, source) = (channels, "'bbox_roi_extractor'")
    var sizes = [stage.extractor.cut.outputHeight, stage.extractor.cut.outputWidth]
    if let sharedHead {
      let layer = sharedHead.layer
      guard layer.inChannels == channels else {
        throw error(
          "model.roi_head.shared_head",
          "takes \(layer.inChannels) channels, as stage \(sharedHead.stage) of the backbone would, but "
            + "'bbox_roi_extractor' gives \(channels)")
      }
      if case .group(let groups, _) = layer.norm, groups < 1 || layer.innerChannels % groups != 0 {
        throw error(
          "model.roi_head.shared_head.norm_cfg.num_groups",
          "is \(groups), expected a divisor of its \(layer.innerChannels) channels")
      }
      (channels, source) = (layer.outChannels, "'shared_head'")
      sizes = sizes.map(sharedHead.outputSize)
    }
    let head = stage.bboxHead
    try expect("\(path).in_channels", head.inChannels, channels, "the channels that \(source) gives")
    try expect(
      "\(path).roi_feat_size", [head.roiFeatSize, head.roiFeatSize], sizes,
      sharedHead == nil
        ? "the 'output_size' of the roi_layer" : "what 'shared_head' makes of the roi_layer's 'output_size'")
  }

  private func extractor(
    _ extractor: RoIExtractorConfiguration, channels: Int, _ source: String, _ path: String
  ) throws {
    guard case .generic(let generic) = extractor, generic.cut.featmapStrides.count > 1 else {
      return try expect("\(path).out_channels", extractor.cut.outChannels, channels, source)
    }
    if let pre = generic.pre {
      try expect("\(path).pre_cfg.in_channels", pre.inChannels, channels, source)
      if generic.aggregation == .concat {
        try expect(
          "\(path).pre_cfg.out_channels", pre.outChannels, channels, "its in_channels, as for aggregation concat")
      }
    }
    try expect(
      "\(path).out_channels", generic.cut.outChannels, generic.aggregateChannels(of: channels),
      "the channels of the aggregate of \(generic.cut.featmapStrides.count) levels")
    if let post = generic.post {
      try expect("\(path).post_cfg.in_channels", post.inChannels, generic.cut.outChannels, "'out_channels'")
    }
  }

  /// The neck takes the backbone's maps; each of several takes those of the one before.
  func neck(_ model: TwoStageConfiguration) throws {
    guard let neck = model.neck else { return }
    let source =
      switch model.backbone {
      case .resNet(let backbone):
        "the channels of the backbone's stages \(backbone.outIndices) \(Self.reason(of: backbone))"
      }
    try self.neck(neck, after: model.backbone.levels, source, "model.neck")
  }

  private func neck(
    _ neck: NeckConfiguration, after levels: [LevelShape], _ source: String, _ path: String
  ) throws {
    switch neck {
    case .fpn(let fpn):
      try expect("\(path).in_channels", fpn.inChannels, levels.map(\.channels), source)
    case .bfp(let bfp):
      try expect("\(path).num_levels", bfp.numLevels, levels.count, "the number of levels before it")
      try expect(
        "\(path).in_channels", [Int](repeating: bfp.inChannels, count: levels.count), levels.map(\.channels), source)
    case .sequence(let parts):
      var levels = levels
      for (index, part) in parts.enumerated() {
        let source = index == 0 ? source : "what '\(path).\(index - 1)' gives"
        try self.neck(part, after: levels, source, "\(path).\(index)")
        levels = part.levels(of: levels)
      }
    }
  }

  /// Hard examples are sorted by one loss each.
  func samplers(_ model: TwoStageConfiguration) throws {
    for (number, stage) in (model.roiHead?.stages ?? []).enumerated() {
      guard case .random(let sampler) = stage.sampler, sampler.asksForLosses else { continue }
      guard stage.bboxHead.withCls, stage.bboxHead.lossCls.kind == .softmax else {
        throw error(
          "\(path("model.train_cfg.rcnn", ofStage: number)).sampler",
          "asks for one loss of each region, which takes a CrossEntropyLoss with 'use_sigmoid: false' in the head")
      }
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
      let featmapStrides = stage.extractor.cut.featmapStrides
      try expect(
        "\(path("model.roi_head.bbox_roi_extractor", ofStage: number)).featmap_strides", featmapStrides,
        Array(strides.prefix(max(1, featmapStrides.count))), "the strides of the \(owner)'s first levels")
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
    if let neck = model.neck { try groups(neck, "model.neck") }
    for (number, stage) in (model.roiHead?.stages ?? []).enumerated() { try groups(stage, number) }
  }

  private func groups(_ stage: RoIStageConfiguration, _ number: Int) throws {
    let head = path("model.roi_head.bbox_head", ofStage: number)
    let norm = stage.bboxHead.norm
    switch stage.bboxHead.layers {
    case .convFC(let layers): try groups(norm, channels: layers.convOutChannels, head, "conv_out_channels")
    case .doubleConvFC(let layers):
      try groups(norm, channels: layers.convOutChannels / 4, head, "conv_out_channels / 4")
    }
    guard case .generic(let generic) = stage.extractor else { return }
    let extractor = path("model.roi_head.bbox_roi_extractor", ofStage: number)
    for (key, module) in [("pre_cfg", generic.pre), ("post_cfg", generic.post)] {
      guard let module else { continue }
      try groups(module.norm, channels: module.outChannels, "\(extractor).\(key)", "out_channels")
    }
  }

  private func groups(_ neck: NeckConfiguration, _ path: String) throws {
    switch neck {
    case .fpn(let fpn): try groups(fpn.norm, channels: fpn.outChannels, path, "out_channels")
    case .bfp(let bfp): try groups(bfp.norm, channels: bfp.inChannels, path, "in_channels")
    case .sequence(let parts): for (index, part) in parts.enumerated() { try groups(part, "\(path).\(index)") }
    }
  }

  private func groups(_ norm: NormConfiguration?, channels: Int, _ owner: String, _ key: String) throws {
    guard case .group(let groups, _)? = norm, groups < 1 || channels % groups != 0 else { return }
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
