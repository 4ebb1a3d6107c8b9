import Detection
import Testing
import Training

/// How cascades are written.
@Suite struct CascadeConfigurationTests {
  private static let stage =
    "{assigner: {type: MaxIoUAssigner, pos_iou_thr: 0.6, neg_iou_thr: 0.6}, "
    + "sampler: {type: RandomSampler, num: 8, pos_fraction: 0.5}}"
  private static let two = [
    "model.type=CascadeRCNN", "model.roi_head.type=CascadeRoIHead", "model.roi_head.num_stages=2",
    "model.roi_head.stage_loss_weights=[1, 0.5]", "model.train_cfg.rcnn=[\(stage), \(stage)]",
  ]
  private static let head = "{type: Shared2FCBBoxHead, in_channels: 64, num_classes: 5}"

  @Test func shippedCascadeIsRead() throws {
    let run = try ReadConfiguration(file: "\(ConfigurationFixture.repository)/configs/quickstart_cascade.yaml").run
    let head = try #require(run.model.roiHead)
    #expect(head.kind == .cascade && head.stages.map(\.weight) == [1, 0.5, 0.25] && head.numClasses == 5)
    #expect(head.stages.map(\.assigner.maxIoU.posIoUThr) == [0.5, 0.6, 0.7])
    #expect(head.stages.allSatisfy { $0.bboxHead.regClassAgnostic })
    #expect(head.stages[2].bboxHead.bboxCoder == .deltaXYWH(.init(targetStds: [0.033, 0.033, 0.067, 0.067])))
    // All else is the quickstart's.
    let other = try QuickstartConfiguration.read().run
    #expect(run.model.backbone == other.model.backbone && run.model.source == other.model.source)
    #expect(run.data == other.data && run.runner == other.runner && run.optimizer == other.optimizer)
  }

  @Test func oneHeadOrExtractorStandsForAll() throws {
    let once = try ConfigurationFixture.read(options: Self.two).run.model.roiHead!.stages
    #expect(once.count == 2 && once[0].bboxHead == once[1].bboxHead && once[0].extractor == once[1].extractor)
    let listed = try ConfigurationFixture.read(
      options: Self.two + ["model.roi_head.bbox_head=[\(Self.head), \(Self.head)]"])
    #expect(listed.run.model.roiHead!.stages.map(\.bboxHead.fcOutChannels) == [1024, 1024])
  }

  @Test(arguments: [
    (
      ["model.roi_head.num_stages=3"],
      "'model.roi_head.stage_loss_weights' is [1, 0.5], expected a number from 0 on for each"
    ),
    (["model.roi_head.num_stages=0"], "'model.roi_head.num_stages' is 0, expected a number from 1 to 16"),
    (["model.roi_head.stage_loss_weights=[1, -1]"], "'model.roi_head.stage_loss_weights' is [1, -1], expected"),
    (
      ["model.train_cfg.rcnn=[\(stage)]"],
      "'model.train_cfg.rcnn' is [a mapping], expected a list with a mapping for each of the 2 stages"
    ),
    (
      ["model.train_cfg.rcnn=\(stage)"],
      "'model.train_cfg.rcnn' is a mapping, expected a list with a mapping for each of the 2 stages"
    ),
    (["model.roi_head.bbox_head=[\(head)]"], "expected a mapping, or a list of 2"),
    (
      ["model.roi_head.bbox_head=[\(head), {type: Shared2FCBBoxHead, in_channels: 64, num_classes: 6}]"],
      "'model.roi_head.bbox_head.1.num_classes' is 6, expected 5: as many as the first stage tells apart"
    ),
    (
      ["model.roi_head.bbox_head=[\(head), {type: Shared2FCBBoxHead, in_channels: 32, num_classes: 5}]"],
      "'model.roi_head.bbox_head.1.in_channels' is 32, expected 64"
    ),
    (["model.train_cfg.rcnn.1.sampler.num=0"], "'model.train_cfg.rcnn.1.sampler.num' is 0"),
    (["model.roi_head.shared_head={type: ResLayer}"], "'model.roi_head.shared_head' is not supported"),
  ])
  func mistakesAreNamedWithTheirStage(_ options: [String], _ message: String) throws {
    let found = try ConfigurationFixture.message { try ConfigurationFixture.read(options: Self.two + options) }
    #expect(found.contains(message), "\(found)")
  }
}

extension BBoxHeadConfiguration {
  fileprivate var fcOutChannels: Int? {
    guard case .convFC(let layers) = layers else { return nil }
    return layers.fcOutChannels
  }
}
