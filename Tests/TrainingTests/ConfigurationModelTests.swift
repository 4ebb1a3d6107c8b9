import Detection
import Foundation
import Kernels
import Layers
import TestSupport
import Testing
import Training

/// What is read from configurations, against mmdetection's meaning.
@Suite struct ConfigurationModelTests {
  private func shipped(_ name: String, options: [String] = []) throws -> ReadConfiguration {
    try ReadConfiguration(file: "\(ConfigurationFixture.repository)/configs/\(name).yaml", options: options)
  }

  @Test func embeddedQuickstartIsTheFile() throws {
    let file = "\(ConfigurationFixture.repository)/\(QuickstartConfiguration.path)"
    #expect(try String(contentsOfFile: file, encoding: .utf8) == QuickstartConfiguration.text)
    let run = try QuickstartConfiguration.read().run
    #expect(run.workDir == "work_dirs/quickstart")
    #expect(run.data.train.annFile == "work_dirs/shapes/annotations/instances_train.json")
  }

  @Test(arguments: ["quickstart", "quickstart_cascade", "bccd", "faster_rcnn_r50_fpn_1x_coco"])
  func shippedConfigurationHasNoNotice(_ name: String) throws {
    #expect(try shipped(name).notices.isEmpty)
  }

  /// None names a part that there isn't, or a key that nobody reads.
  @Test func everyShippedConfigurationIsRead() throws {
    let folder = "\(ConfigurationFixture.repository)/configs"
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".yaml") }
    #expect(files.count > 50)
    for file in files { #expect(throws: Never.self, "\(file)") { _ = try shipped(String(file.dropLast(5))) } }
  }

  @Test func cocoConfigurationHasThePaperValues() throws {
    let run = try shipped("faster_rcnn_r50_fpn_1x_coco").run
    #expect(run.pretrained == "torchvision://resnet50")
    let (backbone, rpnHead, stage) = (
      try run.model.resNet, try run.model.rpnHead, run.model.roiHead!.stages[0]
    )
    #expect(backbone.depth == 50)
    #expect(backbone.frozenStages == 1)
    #expect(backbone.norm == .batch(requiresGrad: true))
    #expect(backbone.normEval)
    #expect(rpnHead.lossCls.kind == .sigmoid)
    #expect(rpnHead.lossBBox.kind == .l1)
    let (anchors, rois) = (try rpnHead.sampler.random, try stage.sampler.random)
    #expect(anchors.num == 256 && anchors.posFraction == 0.5)
    #expect(!anchors.addGtAsProposals)
    #expect(rpnHead.trainProposals.nmsPre == 2000 && rpnHead.testProposals.nmsPre == 1000)
    #expect(rois.num == 512 && rois.addGtAsProposals)
    let assigner = stage.assigner.maxIoU
    #expect(assigner.negIoUThr == .init(high: 0.5) && !assigner.matchLowQuality)
    #expect(stage.bboxHead.bboxCoder == .deltaXYWH(.init(targetStds: [0.1, 0.1, 0.2, 0.2])))
    let detection = run.model.roiHead!.detection
    #expect(detection.nms.iouThreshold == 0.5 && detection.scoreThr == 0.05)
    #expect(run.model.keepLevelsInGraph && run.model.normalizesLossesGlobally)
    #expect(run.optimizer.lr == 0.02 && run.optimizer.momentum == 0.9 && run.optimizer.weightDecay == 0.0001)
    #expect(run.learningRate.policy == .step(milestones: [8, 11], gamma: 0.1, minLR: nil))
    #expect(run.learningRate.warmup == .linear && run.learningRate.warmupIters == 500)
    #expect(run.learningRate.warmupRatio == 0.001)
    #expect(run.runner.maxEpochs == 12 && run.runner.maxIters == nil)
    #expect(run.data.samplesPerGPU == 2 && run.data.val == run.data.test && run.data.train.classes == nil)
  }

  @Test func pipelinesKeepTheStepsThatChangeTheImage() throws {
    let run = try shipped("faster_rcnn_r50_fpn_1x_coco").run
    let (mean, std) = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])
    #expect(
      run.data.train.pipeline == [
        .resize(scales: [.init(width: 1333, height: 800)], mode: .value, keepRatio: true, clipsBoxes: true),
        .randomFlip(ratio: 0.5, direction: .horizontal), .normalize(mean: mean, std: std, toRGB: true),
        .pad(sizeDivisor: 32),
      ])
    #expect(
      run.data.val?.pipeline == [
        .resize(scales: [.init(width: 1333, height: 800)], mode: .value, keepRatio: true, clipsBoxes: true),
        .normalize(mean: mean, std: std, toRGB: true), .pad(sizeDivisor: 32),
      ])
  }

  @Test func poolingLayerIsReadAndTakesNoSamplingRatio() throws {
    let found = "{type: RoIAlign, output_size: 7, sampling_ratio: 0}"
    let read = try ConfigurationFixture.read(replacing: found, with: "{type: RoIPool, output_size: [7, 7]}")
    #expect(read.run.model.roiHead!.extractorLayer == .pool)
    #expect(try ConfigurationFixture.read(options: []).run.model.roiHead!.extractorLayer == .align)
    let message = try ConfigurationFixture.message {
      try ConfigurationFixture.read(replacing: found, with: "{type: RoIPool, output_size: 7, sampling_ratio: 0}")
    }
    #expect(message.contains("unknown key 'sampling_ratio' in 'model.roi_head.bbox_roi_extractor.roi_layer'"))
  }

  @Test func workDirectoryOfAnOddNameIsKept() throws {
    let first = try ReadConfiguration(text: QuickstartConfiguration.text, name: "it's: #1, odd.yaml")
    #expect(first.run.workDir == "work_dirs/it's: #1, odd")
    #expect(try ReadConfiguration(text: first.resolved, name: "c.yaml").run == first.run)
  }

  @Test func mpiSectionIsRead() throws {
    let run = try ConfigurationFixture.read(options: [
      "mpi.shuffle=false", "mpi.keep_levels_in_graph=false", "mpi.loss_normalizer=per_rank", "mpi.bucket_size_mb=2.5",
      "mpi.scaled_decode=always", "mpi.recompute=[2,3]",
    ]).run
    #expect(run.model.recompute == [2, 3])
    #expect(!run.mpi.shuffle && run.mpi.bucketSizeMB == 2.5 && run.mpi.scaledDecode == .always)
    #expect(try ConfigurationFixture.read(options: []).run.mpi.scaledDecode == .train)
    #expect(!run.model.keepLevelsInGraph && !run.model.normalizesLossesGlobally)
  }

  @Test func settingsThatResembleEachOtherAreNotMixedUp() throws {
    let run = try ConfigurationFixture.read(options: [
      "optimizer.paramwise_cfg={bias_lr_mult: 2, bias_decay_mult: 0.5, norm_decay_mult: 0.25}",
      "model.train_cfg.rpn.assigner.neg_iou_thr=[0.1,0.3]", "data.val.pipeline.1.transforms.1.flip_ratio=0.5",
    ]).run
    #expect([run.optimizer.biasLRMult, run.optimizer.biasDecayMult, run.optimizer.normDecayMult] == [2, 0.5, 0.25])
    #expect(try run.model.rpnHead.assigner.maxIoU.negIoUThr == .init(low: 0.1, high: 0.3))
    // Test pipelines never flip.
    #expect(run.data.val?.pipeline == (try ConfigurationFixture.read(options: []).run.data.val?.pipeline))
  }

  @Test(arguments: [true, false]) func plainHeadIsRead(_ withAvgPool: Bool) throws {
    let run = try ConfigurationFixture.read(options: [
      "model.roi_head.bbox_head={type: BBoxHead, with_avg_pool: \(withAvgPool), in_channels: 64, num_classes: 5}"
    ]).run
    var plain = ConvFCConfiguration()
    plain.withAvgPool = withAvgPool
    #expect(run.model.roiHead!.stages[0].bboxHead.layers == .convFC(plain))
  }

  @Test func lossesOfHeadsAreRead() throws {
    let run = try ConfigurationFixture.read(options: [
      "model.rpn_head.loss_cls={type: FocalLoss, use_sigmoid: true, gamma: 1.5, alpha: 0.3, loss_weight: 2}",
      "model.rpn_head.reg_decoded_bbox=true", "model.rpn_head.loss_bbox={type: BoundedIoULoss}",
      "model.roi_head.bbox_head.reg_decoded_bbox=true",
      "model.roi_head.bbox_head.loss_bbox={type: GIoULoss, eps: 1e-7, loss_weight: 10}",
    ]).run
    let (rpnHead, head) = (try run.model.rpnHead, run.model.roiHead!.stages[0].bboxHead)
    #expect(rpnHead.lossCls.kind == .focal(gamma: 1.5, alpha: 0.3) && rpnHead.lossCls.lossWeight == 2)
    #expect(rpnHead.sampler == .pseudo)
    #expect(
      rpnHead.regDecodedBBox && rpnHead.lossBBox.kind == .ofBoxes(.boundedIoU(beta: Double(Float(0.2))), eps: 1e-3))
    #expect(head.regDecodedBBox && head.lossBBox.kind == .ofBoxes(.giou, eps: 1e-7) && head.lossBBox.lossWeight == 10)
    let message = try ConfigurationFixture.message {
      try ConfigurationFixture.read(options: ["model.roi_head.bbox_head.loss_bbox={type: IoULoss}"])
    }
    #expect(message.contains("expected 'reg_decoded_bbox: true' beside a loss of boxes"), "\(message)")
  }

  /// The `model` dictionaries that mmdetection itself built the reference detectors from, as JSON.
  @Test func modelsOfTheReferenceDetectorsAreRead() throws {
    let cases = try GoldenCase.all("detector")
    let models = try cases.map { try ReferenceDetector.configuration($0) }
    #expect(models.count == 2)
    let (backbones, heads) = (try models.map { try $0.resNet }, try models.map { try $0.rpnHead })
    #expect(backbones[0].baseChannels == 4)
    #expect(models[0].levels.map(\.stride) == [4, 8, 16, 32, 64])
    #expect(heads[0].trainProposals.maxPerImg == 40 && models[0].roiHead!.detection.scoreThr == 0.02)
    #expect(backbones[1].style == .caffe && backbones[1].norm == .batch(requiresGrad: false))
    #expect(heads[1].lossBBox.kind == .smoothL1(beta: 1 / 9) && heads[1].lossCls.kind == .softmax)
    #expect(heads[1].allowedBorder == 0 && heads[1].assigner.maxIoU.ignoreIoFThr == 0.5)
    let head = models[1].roiHead!.stages[0].bboxHead
    #expect(head.regClassAgnostic && head.lossBBox.kind != .l1)
  }

  /// The block at the top of `finetune.yaml` says everything once.
  @Test func fineTuningIsSaidInOnePlace() throws {
    let read = try shipped("finetune")
    let (data, classes) = (read.run.data, ["Arduino_Nano", "ESP8266", "Raspberry_Pi_3", "Heltec_ESP32_Lora"])
    #expect(read.run.loadFrom == "work_dirs/bccd/latest.h5" && read.run.model.numClasses == 4)
    for part in [data.train, try #require(data.val), try #require(data.test)] {
      #expect(part.classes == classes && part.imgPrefix == "data/microcontrollers/images")
    }
    #expect(data.train.annFile.hasSuffix("instances_train.json") && data.val?.annFile.hasSuffix("val.json") == true)
    // What an anchor names is used, so that there is nothing to notice.
    #expect(read.notices == [])
    #expect(
      try shipped(
        "finetune",
        options: ["data.val.classes=[a,b,c,d]", "data.train.classes=[a,b,c,d]"]
          + ["data.test.classes=[a,b,c,d]"]
      ).run.data.train.classes == ["a", "b", "c", "d"])
  }

  @Test func tuplesAndTopLevelTrainingSettingsAreRead() throws {
    let read = try ConfigurationFixture.read(
      replacing:
        "      - {type: Resize, img_scale: [224, 224], keep_ratio: true}\n      - {type: RandomFlip, flip_ratio: 0.5}",
      with: """
              - type: Resize
                img_scale: !!python/tuple
                - 224
                - 224
              - {type: RandomFlip, flip_ratio: 0.5}
        """)
    #expect(read.run.data.train.pipeline == (try ConfigurationFixture.read(options: [])).run.data.train.pipeline)
  }

  @Test func olderSpellingsOfMMDetectionAreRead() throws {
    let read = try ConfigurationFixture.read(
      replacing:
        "rpn_proposal: {nms_pre: 500, max_per_img: 200, nms: {type: nms, iou_threshold: 0.7}, min_bbox_size: 0}",
      with: "rpn_proposal: {nms_across_levels: false, nms_pre: 500, nms_post: 500, max_num: 200, nms_thr: 0.6}")
    let proposals = try read.run.model.rpnHead.trainProposals
    #expect(proposals.maxPerImg == 200 && proposals.nms.iouThreshold == 0.6)
    #expect(read.notices.count == 4)
    let total = try ConfigurationFixture.read(
      replacing: "runner: {type: EpochBasedRunner, max_epochs: 12}", with: "total_epochs: 5")
    #expect(total.run.runner.maxEpochs == 5)
  }
}

extension RoIHeadConfiguration {
  fileprivate var extractorLayer: SingleRoIExtractorConfiguration.Layer {
    stages[0].extractor.cut.layer
  }
}

extension TwoStageConfiguration {
  var resNet: ResNetConfiguration {
    get throws {
      switch backbone {
      case .resNet(let backbone): backbone
      }
    }
  }

  var rpnHead: RPNHeadConfiguration {
    get throws {
      switch source {
      case .rpnHead(let head): head
      case .given: throw GoldenError("there is no RPN")
      }
    }
  }
}

extension AssignerConfiguration {
  var maxIoU: MaxIoUAssignerConfiguration {
    switch self {
    case .maxIoU(let assigner): assigner
    }
  }
}

extension SamplerConfiguration {
  var random: RandomSamplerConfiguration {
    get throws {
      guard case .random(let sampler) = self else { throw GoldenError("this is no RandomSampler") }
      return sampler
    }
  }
}
