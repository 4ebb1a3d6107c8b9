import COCO
import Detection
import Testing
import Training

/// Detectors that are not Faster R-CNN: what they need, and what they leave out.
@Suite struct DetectorConfigurationTests {
  private static let rpn = [
    "model.type=RPN", "model.roi_head=null", "data.train.pipeline.1.with_label=false",
    "data.train.pipeline.7.keys=[img, gt_bboxes]", "evaluation.metric=proposal_fast",
  ]

  private static func pipeline(_ loading: String, keys: String) -> String {
    "[{type: LoadImageFromFile}, \(loading){type: LoadAnnotations, with_bbox: true}, "
      + "{type: Resize, img_scale: [224, 224], keep_ratio: true}, {type: Pad, size_divisor: 32}, "
      + "{type: Collect, keys: [\(keys)]}]"
  }
  private static let loading = "{type: LoadProposals, num_max_proposals: 20}, "
  private static let testPipeline =
    "[{type: LoadImageFromFile}, {type: LoadProposals, num_max_proposals: null}, {type: MultiScaleFlipAug, "
    + "img_scale: [224, 224], flip: false, transforms: [{type: Resize, keep_ratio: true, bbox_clip_border: false}, "
    + "{type: ImageToTensor, keys: [img]}, {type: ToTensor, keys: [proposals]}, "
    + "{type: ToDataContainer, fields: [{key: proposals, stack: false}]}, {type: Collect, keys: [img, proposals]}]}]"
  private static let fast =
    [
      "model.type=FastRCNN", "model.rpn_head=null", "data.train.data_root=root",
      "data.train.proposal_file=train.pkl", "data.val.proposal_file=val.h5", "data.test.proposal_file=val.h5",
      "data.train.pipeline=\(pipeline(loading, keys: "img, proposals, gt_bboxes, gt_labels"))",
    ] + ["val", "test"].map { "data.\($0).pipeline=\(testPipeline)" }

  @Test func rpnIsRead() throws {
    let read = try ConfigurationFixture.read(options: Self.rpn)
    let run = read.run
    #expect(run.model.roiHead == nil && run.model.numClasses == nil && !run.data.train.collectsLabels)
    #expect(run.evaluation?.metrics == [.proposalFast])
    var parameters = EvaluationParameters()
    parameters.metrics = [.proposalFast]
    #expect(parameters.reportedNames == ["AR@100", "AR@300", "AR@1000"])
    #expect(read.notices.map { $0.contains("rpn_proposal") || $0.contains("'model.t") }.allSatisfy { $0 })
    let several = try ConfigurationFixture.read(
      options: Self.rpn + ["evaluation.metric=[proposal, proposal_fast]", "evaluation.save_best=auto"])
    #expect(several.run.evaluation?.saveBest?.rawValue == "AR@100")
    #expect(several.run.evaluation?.metrics == [.proposal, .proposalFast])
  }

  @Test func fastRCNNIsRead() throws {
    let run = try ConfigurationFixture.read(options: Self.fast).run
    #expect(run.model.source == .given && run.model.numClasses == 5)
    #expect(run.data.train.proposals == ProposalUse(file: "root/train.pkl", numMaxProposals: 20))
    #expect(run.data.val?.proposals == ProposalUse(file: "val.h5"))
    #expect(
      run.data.test?.pipeline == [
        .resize(scales: [.init(width: 224, height: 224)], mode: .value, keepRatio: true, clipsBoxes: false)
      ])
  }

  @Test(arguments: [
    (["model.type=RPN"], "'model.roi_head' has no place in a model of type RPN"),
    (rpn + ["evaluation.metric=bbox"], "'evaluation.metric' is bbox, expected proposal_fast or proposal"),
    (["evaluation.metric=proposal_fast"], "'evaluation.metric' is proposal_fast, which measures an RPN alone"),
    (["evaluation.metric=[bbox, segm]"], "'evaluation.metric' is [bbox, segm], which is not supported yet"),
    (["data.train.pipeline.1.with_label=false"], "'data.train.pipeline' gives no gt_labels"),
    (["data.train.pipeline.7.keys=[img, gt_bboxes]"], "'data.train.pipeline' gives no gt_labels"),
    (["model.type=FastRCNN"], "'model.rpn_head' has no place in a model of type FastRCNN"),
    (["model.type=FastRCNN", "model.rpn_head=null"], "'data.train' names no proposals, which a FastRCNN needs"),
    (
      fast + ["data.train.proposal_file=null"],
      "'data.train.pipeline' has LoadProposals, but there is no 'proposal_file'"
    ),
    (fast + ["data.train.pipeline.1.num_max_proposals=0"], "'data.train.pipeline.1.num_max_proposals' is 0, expected"),
    (
      fast + ["data.train.pipeline=\(pipeline(loading, keys: "img, gt_bboxes, gt_labels"))"],
      "'data.train.pipeline' loads proposals that 'Collect' leaves out"
    ),
    (
      fast + [
        "data.train.pipeline.1={type: Resize, img_scale: [9, 9]}", "data.train.pipeline.3={type: LoadProposals}",
      ],
      "'data.train.pipeline.3.type' comes after Resize"
    ),
    (
      fast + ["model.type=FasterRCNN", "model.rpn_head={type: RPNHead, in_channels: 64}"],
      "'model.rpn_head' lacks 'anchor_generator'"
    ),
    (fast.filter { !$0.hasPrefix("model.") }, "'data.train.pipeline' loads proposals, but the detector makes its own"),
  ])
  func whatDoesNotFitIsRefused(_ options: [String], _ message: String) throws {
    let found = try ConfigurationFixture.message { try ConfigurationFixture.read(options: options) }
    #expect(found.contains(message), "\(found)")
  }

  @Test func aNeckMayBeAbsent() throws {
    let run = try ConfigurationFixture.read(options: [
      "model.neck=null", "model.backbone.out_indices=[3]", "model.rpn_head.in_channels=256",
      "model.rpn_head.anchor_generator.strides=[32]", "model.roi_head.bbox_roi_extractor.out_channels=256",
      "model.roi_head.bbox_roi_extractor.featmap_strides=[32]", "model.roi_head.bbox_head.in_channels=256",
    ]).run
    #expect(run.model.neck == nil && run.model.levels.map(\.channels) == [256])
    let message = try ConfigurationFixture.message {
      try ConfigurationFixture.read(options: ["model.neck=null", "model.backbone.out_indices=[3]"])
    }
    #expect(message.contains("is 64, expected 256: the channels of the backbone's maps"), "\(message)")
  }
}
