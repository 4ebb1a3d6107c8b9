import Detection
import Testing
import Training

/// C4: a backbone of three stages, and the fourth one in the head.
@Suite struct SharedHeadConfigurationTests {
  private static let c4 = [
    "model.neck=null", "model.backbone.depth=50", "model.backbone.num_stages=3", "model.backbone.out_indices=[2]",
    "model.backbone.strides=[1, 2, 2]", "model.rpn_head.in_channels=512",
    "model.rpn_head.anchor_generator.strides=[16]", "model.rpn_head.anchor_generator.scales=[2, 4, 8, 16, 32]",
    "model.roi_head.bbox_roi_extractor={type: SingleRoIExtractor, roi_layer: {type: RoIAlign, output_size: 13, "
      + "sampling_ratio: 0}, out_channels: 512, featmap_strides: [16]}",
    "model.roi_head.shared_head={type: ResLayer, depth: 50, stage: 3, stride: 2, dilation: 1, style: caffe, "
      + "norm_cfg: {type: BN, requires_grad: false}, norm_eval: true}",
    "model.roi_head.bbox_head={type: BBoxHead, with_avg_pool: true, in_channels: 1024, roi_feat_size: 7, num_classes: 5}",
  ]

  @Test func c4IsRead() throws {
    let model = try ConfigurationFixture.read(options: Self.c4).run.model
    let head = try #require(model.roiHead?.sharedHead)
    #expect(model.levels == [LevelShape(channels: 512, stride: 16)] && head.stage == 3)
    #expect(head.layer.inChannels == 512 && head.layer.outChannels == 1024 && head.layer.stride == 2)
    #expect(head.layer.style == .caffe && head.layer.norm == .batch(requiresGrad: false))
    #expect(!model.usesBatchStatistics == !model.backbone.usesBatchStatistics)
  }

  @Test(arguments: [
    ("model.roi_head.shared_head.depth=20", "'model.roi_head.shared_head.depth' is 20, expected one of 18, 34, 50"),
    (
      "model.roi_head.shared_head.stage=2",
      "'model.roi_head.shared_head' takes 256 channels, as stage 2 of the backbone would, but"
    ),
    (
      "model.roi_head.bbox_head.in_channels=2048",
      "'model.roi_head.bbox_head.in_channels' is 2048, expected 1024: the channels that 'shared_head' gives"
    ),
    (
      "model.roi_head.bbox_head.roi_feat_size=6",
      "'model.roi_head.bbox_head.roi_feat_size' is [6, 6], expected [7, 7]: what 'shared_head' makes of"
    ),
    ("model.roi_head.shared_head.dcn={type: DCN}", "'model.roi_head.shared_head.dcn' is not supported yet"),
    ("model.roi_head.shared_head.stride=0", "'model.roi_head.shared_head.stride' is 0, expected a number from 1 to 8"),
    (
      "model.roi_head.shared_head.norm_cfg={type: GN, num_groups: 7}",
      "'model.roi_head.shared_head.norm_cfg.num_groups' is 7, expected a divisor of its 256 channels"
    ),
  ])
  func mistakesAreNamed(_ option: String, _ message: String) throws {
    let found = try ConfigurationFixture.message { try ConfigurationFixture.read(options: Self.c4 + [option]) }
    #expect(found.contains(message), "\(found)")
  }

  @Test func exactSumsNeedFixedStatistics() throws {
    let options = Self.c4 + ["model.roi_head.shared_head.norm_eval=false", "mpi.reduction=exact"]
    let found = try ConfigurationFixture.message { try ConfigurationFixture.read(options: options) }
    #expect(found.contains("is exact, which the norms of model.roi_head forbid"), "\(found)")
  }
}
