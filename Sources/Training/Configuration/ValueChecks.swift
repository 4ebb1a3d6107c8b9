import COCO
import Detection
import MPI

/// Values that are right by themselves and that the rest of the configuration forbids, or that would end in numbers that
/// nothing can be computed with.
extension FittingCheck {
  /// - Throws: `ConfigurationError` at the value.
  func values(_ run: RunConfiguration) throws {
    try model(run.model)
    try data(run.data)
    try schedule(run)
    try classWeights(run.model)
    try limits(run.model)
  }

  /// The largest values whose products are still numbers of bytes, threads or iterations that there could be.
  private func check(_ values: [(path: String, value: Int, largest: Int)]) throws {
    for (path, value, largest) in values where value > largest {
      throw error(path, "is \(value), expected at most \(largest)")
    }
  }

  private func model(_ model: TwoStageConfiguration) throws {
    let channels = 1 << 14
    switch model.backbone {
    case .resNet(let backbone): try self.backbone(backbone, channels: channels)
    }
    if let neck = model.neck { try self.neck(neck, "model.neck", channels) }
    switch model.source {
    case .given: break
    case .rpnHead(let head):
      try check([("model.rpn_head.feat_channels", head.featChannels, channels)])
      try sampler(head.sampler, "model.train_cfg.rpn.sampler")
      try anchors(head.anchorGenerator)
    }
    for (number, stage) in (model.roiHead?.stages ?? []).enumerated() { try self.stage(stage, number) }
  }

  private func neck(_ neck: NeckConfiguration, _ path: String, _ channels: Int) throws {
    switch neck {
    case .fpn(let fpn):
      try check([("\(path).out_channels", fpn.outChannels, channels), ("\(path).num_outs", fpn.numOuts, 16)])
    case .bfp(let bfp): try check([("\(path).in_channels", bfp.inChannels, channels)])
    case .sequence(let parts):
      for (index, part) in parts.enumerated() { try self.neck(part, "\(path).\(index)", channels) }
    }
  }

  private func backbone(_ backbone: ResNetConfiguration, channels: Int) throws {
    try check([
      ("model.backbone.base_channels", backbone.baseChannels, channels),
      ("model.backbone.stem_channels", backbone.stemChannels ?? 1, channels),
      ("model.backbone.strides", backbone.strides.max() ?? 1, 64),
      ("model.backbone.dilations", backbone.dilations.max() ?? 1, 64),
    ])
    if case .resNeXt(let groups, let baseWidth) = backbone.variant {
      try check([("model.backbone.groups", groups, channels), ("model.backbone.base_width", baseWidth, channels)])
      guard backbone.stages.allSatisfy({ $0.innerChannels > 0 }) else {
        throw error("model.backbone.base_width", "is \(baseWidth), too few for base_channels \(backbone.baseChannels)")
      }
    }
    try check([("model.backbone", backbone.mostChannels, 1 << 20)])
  }

  private func stage(_ stage: RoIStageConfiguration, _ number: Int) throws {
    let (head, path) = (stage.bboxHead, path("model.roi_head.bbox_head", ofStage: number))
    try check([
      ("\(path).num_classes", head.numClasses, 1 << 16), ("\(path).roi_feat_size", head.roiFeatSize, 1 << 8),
    ])
    let (fcs, convs) =
      switch head.layers {
      case .convFC(let layers): (layers.fcOutChannels, layers.convOutChannels)
      case .doubleConvFC(let layers): (layers.fcOutChannels, layers.convOutChannels)
      }
    let extractorPath = self.path("model.roi_head.bbox_roi_extractor", ofStage: number)
    try check([
      ("\(path).fc_out_channels", fcs, 1 << 16), ("\(path).conv_out_channels", convs, 1 << 14),
      ("\(extractorPath).roi_layer.sampling_ratio", stage.extractor.cut.samplingRatio, 1 << 6),
    ])
    try sampler(stage.sampler, "\(self.path("model.train_cfg.rcnn", ofStage: number)).sampler")
  }

  private func sampler(_ sampler: SamplerConfiguration, _ path: String) throws {
    guard case .random(let random) = sampler else { return }
    try check([("\(path).num", random.num, 1 << 24)])
    guard random.negPosUB <= 1e6 else {
      throw error("\(path).neg_pos_ub", "is \(random.negPosUB), expected at most a million, or -1 for none")
    }
  }

  private func data(_ data: DataSection) throws {
    try check([
      ("data.samples_per_gpu", data.samplesPerGPU ?? 1, 4096), ("data.workers_per_gpu", data.workersPerGPU, 1024),
    ])
    for (name, part) in [("train", data.train), ("val", data.val), ("test", data.test)] {
      for step in part?.pipeline ?? [] {
        switch step {
        case .resize(let scales, _, _, _):
          for scale in scales where max(scale.width, scale.height) > 1 << 14 {
            throw error(
              "data.\(name).pipeline",
              "has an img_scale of \(scale.width) × \(scale.height), expected at most 16384 each")
          }
        case .pad(let divisor) where divisor > 1024:
          throw error("data.\(name).pipeline", "has a size_divisor of \(divisor), expected at most 1024")
        case .loadAsFloats, .pad, .randomFlip, .normalize: break
        }
      }
    }
  }

  private func schedule(_ run: RunConfiguration) throws {
    try check([
      ("runner.max_epochs", run.runner.maxEpochs ?? 1, 1_000_000_000),
      ("runner.max_iters", run.runner.maxIters ?? 1, 1_000_000_000_000),
      ("lr_config.warmup_iters", run.learningRate.warmupIters, 1_000_000_000),
      ("mpi.global_batch", run.mpi.globalBatch ?? 1, 1 << 20),
      ("mpi.save_failures", run.mpi.saveFailures, 1_000_000),
      ("mpi.threads_per_rank", run.mpi.threadsPerRank ?? 1, ThreadBudget.most),
    ])
    guard run.mpi.bucketSizeMB <= 1024 else {
      throw error("mpi.bucket_size_mb", "is \(run.mpi.bucketSizeMB), expected at most 1024, in MiB")
    }
  }

  /// A weight for each score of the softmax (the background is the last), or the one of a sigmoid's positives.
  private func classWeights(_ model: TwoStageConfiguration) throws {
    switch model.source {
    case .given: break
    case .rpnHead(let head):
      let isSoftmax = head.lossCls.kind == .softmax
      try classWeight(
        head.lossCls.classWeight, count: isSoftmax ? 2 : 1, "model.rpn_head.loss_cls.class_weight",
        isSoftmax ? "for objects and one for the background" : "of the objects, as with use_sigmoid")
    }
    for (number, stage) in (model.roiHead?.stages ?? []).enumerated() {
      let head = stage.bboxHead
      try classWeight(
        head.lossCls.classWeight, count: head.numClasses + 1,
        "\(path("model.roi_head.bbox_head", ofStage: number)).loss_cls.class_weight",
        "for each of the \(head.numClasses) classes of num_classes, and the background's at the end")
    }
  }

  private func classWeight(_ weights: [Float]?, count: Int, _ path: String, _ meaning: String) throws {
    guard let weights else { return }
    guard weights.count == count else {
      let numbers = count == 1 ? "1 number" : "\(count) numbers"
      throw error(path, "has \(weights.count) numbers, expected \(numbers): one \(meaning)")
    }
    guard weights.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
      throw error(path, "is \(weights), expected numbers from 0 on")
    }
  }

  private func anchors(_ anchors: AnchorGeneratorConfiguration) throws {
    for (key, values) in [
      ("scales", anchors.scales), ("ratios", anchors.ratios), ("base_sizes", anchors.baseSizes ?? [1]),
    ] {
      guard !values.isEmpty, values.allSatisfy({ $0 > 0 && $0 <= 1e6 }) else {
        throw error(
          "model.rpn_head.anchor_generator.\(key)", "is \(values), expected numbers above 0, at most a million")
      }
    }
  }

  /// mmdetection 2.11 cuts the proposals with `[:max_per_img]`, so that 0 would leave none and -1 all but the worst.
  /// (`test_cfg.rcnn.max_per_img` is another matter: 0 and less mean all there.)
  private func limits(_ model: TwoStageConfiguration) throws {
    guard case .rpnHead(let head) = model.source else { return }
    for (path, limits) in [
      ("model.train_cfg.rpn_proposal", head.trainProposals),
      ("model.test_cfg.rpn", head.testProposals),
    ] where limits.maxPerImg < 1 {
      throw error("\(path).max_per_img", "is \(limits.maxPerImg), expected a number from 1 on")
    }
  }
}
