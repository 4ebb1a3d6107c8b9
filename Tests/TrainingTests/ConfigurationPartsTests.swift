import Detection
import Kernels
import Layers
import Testing
import Training

/// Heads, losses, samplers, extractors and necks as configurations name them, and what they answer to mistakes.
@Suite struct ConfigurationPartsTests {
  private func stage(_ options: String...) throws -> RoIStageConfiguration {
    try ConfigurationFixture.read(options: options).run.model.roiHead!.stages[0]
  }

  static let head = "model.roi_head.bbox_head"
  private static let noEvaluation = "evaluation=null"

  @Test func headsAreReadByTheirTypes() throws {
    func layers(_ type: String, _ rest: String = "") throws -> BBoxHeadConfiguration.Layers {
      try stage("\(Self.head)={type: \(type), in_channels: 64, num_classes: 5\(rest)}").bboxHead.layers
    }
    #expect(try layers("BBoxHead") == .convFC(ConvFCConfiguration()))
    #expect(try layers("Shared2FCBBoxHead") == .convFC(.shared2FC))
    var shared = ConvFCConfiguration.shared4Conv1FC
    (shared.convOutChannels, shared.fcOutChannels) = (32, 48)
    shared.norm = .group(groups: 4, requiresGrad: true)
    #expect(
      try layers(
        "Shared4Conv1FCBBoxHead", ", conv_out_channels: 32, fc_out_channels: 48, norm_cfg: {type: GN, num_groups: 4}")
        == .convFC(shared))
    var branches = ConvFCConfiguration()
    (branches.shared, branches.cls, branches.reg) = (.init(convs: 1), .init(fcs: 2), .init(convs: 3, fcs: 1))
    branches.withAvgPool = true
    #expect(
      try layers(
        "ConvFCBBoxHead",
        ", num_shared_convs: 1, num_cls_fcs: 2, num_reg_convs: 3, num_reg_fcs: 1, with_avg_pool: true")
        == .convFC(branches))
  }

  @Test func doubleHeadIsRead() throws {
    let stage = try stage(
      "model.roi_head.type=DoubleHeadRoIHead", "model.roi_head.reg_roi_scale_factor=1.3",
      "\(Self.head)={type: DoubleConvFCBBoxHead, in_channels: 64, num_classes: 5, num_convs: 4, num_fcs: 2}")
    var layers = DoubleConvFCConfiguration()
    (layers.numConvs, layers.numFcs) = (4, 2)
    #expect(stage.bboxHead.layers == .doubleConvFC(layers) && stage.regRoIScaleFactor == 1.3)
    #expect(stage.bboxHead.usesBatchStatistics)
  }

  @Test func aHeadMayBeWithoutAPart() throws {
    #expect(try !stage("\(Self.head).with_reg=false").bboxHead.withReg)
    #expect(try !stage("\(Self.head).with_cls=false", Self.noEvaluation).bboxHead.withCls)
  }

  @Test func lossesAreRead() throws {
    let head = try stage(
      "\(Self.head).loss_cls={type: FocalLoss, use_sigmoid: true, gamma: 1.5, reduction: none}",
      "\(Self.head).loss_bbox={type: BalancedL1Loss, alpha: 0.4, gamma: 1.2, beta: 0.8, loss_weight: 3}"
    ).bboxHead
    #expect(head.lossCls.kind == .focal(gamma: 1.5, alpha: 0.25) && head.lossCls.reduction == .none)
    #expect(head.lossBBox.kind == .balancedL1(alpha: 0.4, gamma: 1.2, beta: Double(Float(0.8))))
    #expect(head.lossBBox.lossWeight == 3 && head.lossBBox.reduction == .mean)
    #expect(try stage("\(Self.head).loss_cls.use_sigmoid=true").bboxHead.lossCls.kind == .sigmoid)
    #expect(
      try ConfigurationFixture.read(options: ["model.rpn_head.num_convs=3"]).run.model.rpnHead.numConvs == 3)
  }

  static let sampler = "model.train_cfg.rcnn.sampler"

  @Test func samplersAreRead() throws {
    func sampler(_ text: String) throws -> RandomSamplerConfiguration {
      try stage("\(Self.sampler)={num: 64, pos_fraction: 0.25, \(text)}").sampler.random
    }
    let hard = try sampler("type: OHEMSampler")
    #expect(hard.positives == .hard && hard.negatives == .hard && hard.addGtAsProposals && hard.num == 64)
    let balanced = try sampler("type: IoUBalancedNegSampler, floor_thr: 0.1, floor_fraction: 0.5, num_bins: 4")
    var balance = IoUBalanceConfiguration()
    (balance.floorThr, balance.floorFraction, balance.numBins) = (0.1, 0.5, 4)
    #expect(balanced.positives == .random && balanced.negatives == .iouBalanced(balance))
    let combined = try sampler(
      "type: CombinedSampler, pos_sampler: {type: InstanceBalancedPosSampler}, neg_sampler: {type: OHEMSampler}")
    #expect(combined.positives == .instanceBalanced && combined.negatives == .hard)
    let read = try ConfigurationFixture.read(options: [
      "\(Self.sampler)={type: CombinedSampler, num: 64, pos_fraction: 0.25, pos_sampler: {type: RandomSampler, num: 3}, "
        + "neg_sampler: {type: RandomSampler}}"
    ])
    #expect(read.notices.count == 1 && read.notices[0].contains("pos_sampler.num' has no meaning here"))
  }

  static let extractor = "model.roi_head.bbox_roi_extractor"

  @Test func genericExtractorIsRead() throws {
    let stage = try stage(
      "\(Self.extractor)={type: GenericRoIExtractor, aggregation: concat, out_channels: 256, "
        + "featmap_strides: [4,8,16,32], roi_layer: {type: RoIAlign, output_size: 7}, "
        + "post_cfg: {type: ConvModule, in_channels: 256, out_channels: 32, kernel_size: 3, padding: 1, act_cfg: null}}",
      "\(Self.head).in_channels=32")
    guard case .generic(let generic) = stage.extractor else {
      Issue.record("another extractor")
      return
    }
    #expect(generic.aggregation == .concat && generic.pre == nil && generic.cut.featmapStrides == [4, 8, 16, 32])
    #expect(generic.post?.kernel == 3 && generic.post?.outChannels == 32 && generic.post?.relu == false)
  }

  static let fpn = "{type: FPN, in_channels: [32,64,128,256], out_channels: 64, num_outs: 5}"

  @Test func necksAreRead() throws {
    func neck(_ text: String) throws -> NeckConfiguration {
      try ConfigurationFixture.read(options: ["model.neck=\(text)"]).run.model.neck!
    }
    var fpn = FPNConfiguration()
    (fpn.inChannels, fpn.outChannels) = ([32, 64, 128, 256], 64)
    var bfp = BFPConfiguration()
    (bfp.inChannels, bfp.refineType) = (64, .nonLocal)
    #expect(
      try neck("[\(Self.fpn), {type: BFP, in_channels: 64, num_levels: 5, refine_type: non_local}]")
        == .sequence([.fpn(fpn), .bfp(bfp)]))
    var path = fpn
    (path.hasBottomUpPath, path.relu, path.noNormOnLateral) = (true, true, true)
    path.norm = .group(groups: 8, requiresGrad: true)
    #expect(
      try neck(
        "{type: PAFPN, in_channels: [32,64,128,256], out_channels: 64, num_outs: 5, act_cfg: {type: ReLU}, "
          + "norm_cfg: {type: GN, num_groups: 8}, no_norm_on_lateral: true}") == .fpn(path))
    fpn.upsampling = .bilinear(alignCorners: true)
    #expect(
      try neck(
        "{type: FPN, in_channels: [32,64,128,256], out_channels: 64, num_outs: 5, "
          + "upsample_cfg: {mode: bilinear, align_corners: true}}") == .fpn(fpn))
  }

  static let mistakes: [(options: [String], message: String)] = [
    (["\(head).with_cls=false"], "'evaluation' needs scores, and 'model.roi_head.bbox_head.with_cls' is false"),
    (
      ["\(head).with_cls=false", "\(head).with_reg=false"],
      "'model.roi_head.bbox_head.with_reg' is false, expected true"
    ),
    (
      ["\(head)={type: ConvFCBBoxHead, in_channels: 64, num_classes: 5}"],
      "expected at least one layer of any kind"
    ),
    (
      ["\(head)={type: ConvFCBBoxHead, in_channels: 64, num_classes: 5, num_shared_fcs: 1, num_reg_convs: 1}"],
      "'model.roi_head.bbox_head.num_shared_fcs' is 1, expected 0, as convolutions of a branch can't follow"
    ),
    (
      ["\(head)={type: Shared4Conv1FCBBoxHead, in_channels: 64, num_classes: 5, norm_cfg: {type: GN, num_groups: 7}}"],
      "'model.roi_head.bbox_head.norm_cfg.num_groups' is 7, expected a divisor of 'model.roi_head.bbox_head.conv_out_channels'"
    ),
    (
      ["\(head)={type: DoubleConvFCBBoxHead, in_channels: 64, num_classes: 5, num_convs: 1, num_fcs: 1}"],
      "'model.roi_head.type' is StandardRoIHead, expected DoubleHeadRoIHead, as the type of 'bbox_head' asks for"
    ),
    (["\(head).loss_cls.reduction=sum"], "is sum, which no head can train with"),
    (["model.rpn_head.loss_bbox.reduction=none"], "has 'reduction: none', which is not supported here"),
    (["\(sampler).type=ScoreHLRSampler"], "is 'ScoreHLRSampler', which is not supported yet"),
    (
      ["model.train_cfg.rpn.sampler.type=OHEMSampler"],
      "'model.train_cfg.rpn.sampler' asks for the losses of a box head"
    ),
    (
      ["\(sampler).type=OHEMSampler", "\(head).loss_cls.use_sigmoid=true"],
      "'model.train_cfg.rcnn.sampler' asks for one loss of each region"
    ),
    (
      ["\(extractor).type=GenericRoIExtractor", "\(extractor).finest_scale=28"],
      "unknown key 'finest_scale' in 'model.roi_head.bbox_roi_extractor'"
    ),
    (
      [
        "\(extractor)={type: GenericRoIExtractor, out_channels: 64, featmap_strides: [4,8,16,32], "
          + "roi_layer: {type: RoIAlign, output_size: 7}, post_cfg: {type: GeneralizedAttention}}"
      ], "'model.roi_head.bbox_roi_extractor.post_cfg.type' is 'GeneralizedAttention', which is not supported yet"
    ),
    (
      ["model.neck=[\(fpn), {type: BFP, in_channels: 64, num_levels: 4}]"],
      "'model.neck.1.num_levels' is 4, expected 5: the number of levels before it"
    ),
    (
      ["model.neck=[\(fpn), {type: BFP, in_channels: 32, num_levels: 5}]"],
      "'model.neck.1.in_channels' is [32, 32, 32, 32, 32], expected [64, 64, 64, 64, 64]"
    ),
    (
      ["model.neck.upsample_cfg={mode: bicubic}"],
      "'model.neck.upsample_cfg.mode' is bicubic, expected nearest or bilinear"
    ),
    (["model.neck.act_cfg={type: Swish}"], "'model.neck.act_cfg.type' is 'Swish', which is not supported yet"),
  ]

  @Test(arguments: mistakes) func mistakesAreNamed(_ options: [String], _ expected: String) throws {
    let message = try ConfigurationFixture.message { try ConfigurationFixture.read(options: options) }
    #expect(message.contains(expected), "\(message)")
  }

  @Test func exactReductionRefusesBatchStatisticsOfAHead() throws {
    let message = try ConfigurationFixture.message {
      try ConfigurationFixture.read(options: [
        "mpi.reduction=exact",
        "\(Self.head)={type: Shared4Conv1FCBBoxHead, in_channels: 64, num_classes: 5, norm_cfg: {type: BN}}",
      ])
    }
    #expect(message.contains("is exact, which the norms of model.roi_head forbid"), "\(message)")
  }

  /// What stands beside a layer that is not there.
  @Test func whatHasNoLayerIsNoticed() throws {
    let read = try ConfigurationFixture.read(options: [
      "\(Self.head).norm_cfg={type: GN, num_groups: 8}", "\(Self.head).conv_out_channels=8",
    ])
    #expect(read.notices.count == 2 && read.notices.allSatisfy { $0.contains("this head has no convolution") })
  }
}
