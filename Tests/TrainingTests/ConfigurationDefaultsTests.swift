import Detection
import TestSupport
import Testing
import Training

/// What mmdetection 2.11 takes where nothing is written, and keys that others leave without effect.
@Suite struct ConfigurationDefaultsTests {
  private static let proposals =
    "    rpn_proposal: {nms_pre: 500, max_per_img: 200, nms: {type: nms, iou_threshold: 0.7}, min_bbox_size: 0}\n"
  private static let rpnSampler =
    "      sampler: {type: RandomSampler, num: 64, pos_fraction: 0.5, add_gt_as_proposals: false}\n"

  private func rpnHead(_ read: ReadConfiguration) throws -> RPNHeadConfiguration {
    switch read.run.model.source {
    case .rpnHead(let head): head
    case .given: throw GoldenError("there is no RPN")
    }
  }

  @Test func trainingTakesTheProposalsOfTestingWhereItHasNone() throws {
    let read = try ConfigurationFixture.read(replacing: Self.proposals, with: "")
    let head = try rpnHead(read)
    #expect(head.trainProposals == head.testProposals)
    #expect(head.trainProposals.nmsPre == 300 && head.trainProposals.maxPerImg == 100)
    #expect(try rpnHead(ConfigurationFixture.read(options: [])).trainProposals.nmsPre == 500)
  }

  @Test func withoutASamplerTheRPNTakesAllAnchors() throws {
    let read = try ConfigurationFixture.read(replacing: Self.rpnSampler, with: "")
    #expect(try rpnHead(read).sampler == .pseudo && read.notices.isEmpty)
    let message = try ConfigurationFixture.message {
      try ConfigurationFixture.read(
        replacing: "      sampler: {type: RandomSampler, num: 64, pos_fraction: 0.25, add_gt_as_proposals: true}\n",
        with: "")
    }
    #expect(message.contains("'model.train_cfg.rcnn' lacks 'sampler' (a mapping)"))
  }

  @Test func whatThePseudoSamplerIsGivenIsNoticed() throws {
    let read = try ConfigurationFixture.read(
      replacing: Self.rpnSampler, with: "      sampler: {type: PseudoSampler, num: 64, anything: 1}\n")
    #expect(try rpnHead(read).sampler == .pseudo)
    #expect(
      read.notices.map { $0.replacing(/c\.yaml:\d+:/, with: "c.yaml:N:") } == [
        "c.yaml:N:38: notice: 'model.train_cfg.rpn.sampler.num' has no meaning here: PseudoSampler takes everything",
        "c.yaml:N:47: notice: 'model.train_cfg.rpn.sampler.anything' has no meaning here: PseudoSampler takes everything",
      ])
  }

  /// Keys whose usual value needs no word, and another value of them.
  @Test(arguments: [
    ("model.train_cfg.rpn.debug", "false", "true"), ("model.train_cfg.rcnn.debug", "false", "true"),
    ("model.backbone.style", "pytorch", "caffe"), ("model.neck.relu_before_extra_convs", "false", "true"),
    ("model.neck.extra_convs_on_inputs", "true", "false"),
  ])
  func aKeyWithoutEffectIsNoticedUnlessItIsUsual(_ key: String, usual: String, other: String) throws {
    #expect(try ConfigurationFixture.read(options: ["\(key)=\(usual)"]).notices.isEmpty)
    let notices = try ConfigurationFixture.read(options: ["\(key)=\(other)"]).notices
    #expect(notices.count == 1 && notices[0].contains("'\(key)' has no meaning here: "), "\(notices)")
  }

  @Test(arguments: [
    (
      "model.rpn_head.loss_cls.class_weight=[1,2]",
      "'model.rpn_head.loss_cls.class_weight' has 2 numbers, expected 1 number"
    ),
    (
      "model.roi_head.bbox_head.loss_cls.class_weight=[1,2]",
      "'model.roi_head.bbox_head.loss_cls.class_weight' has 2 numbers, expected 6 numbers"
    ),
    (
      "model.rpn_head.anchor_generator={type: AnchorGenerator, scales: [4], ratios: [1.0], strides: [4,8,16,32,64],"
        + " center_offset: 0.5, centers: [[0,0],[0,0],[0,0],[0,0],[0,0]]}", "expected 0, as 'centers' are given"
    ),
  ])
  func whatCannotBeIsRefused(_ option: String, _ expected: String) throws {
    let message = try ConfigurationFixture.message { try ConfigurationFixture.read(options: [option]) }
    #expect(message.contains(expected), "\(message)")
  }

  @Test func softSuppressionHasAThresholdOrASigma() throws {
    func notices(_ method: String) throws -> [String] {
      try ConfigurationFixture.read(options: [
        "model.test_cfg.rcnn.nms={type: soft_nms, iou_threshold: 0.4, sigma: 0.6, method: \(method)}"
      ]).notices
    }
    for (method, key) in [("gaussian", "iou_threshold"), ("linear", "sigma"), ("naive", "sigma")] {
      let notices = try notices(method)
      #expect(notices.count == 1 && notices[0].contains("'model.test_cfg.rcnn.nms.\(key)'"), "\(method): \(notices)")
    }
  }
}
