import Detection
import Layers
import Primitives
import Tensors
import Training

/// Batches of noise with eight random boxes a picture.
struct RandomPictures {
  let size: ImageSize
  let batch: Int
  let classes: Int
  let rank: Int

  func input(iteration: Int, on engine: Engine) -> DetectorInput {
    let ids = (0..<batch).map { Int64((iteration << 20 | rank) * batch + $0) }
    let images = Tensor([batch, size.height, size.width, 3], on: engine)
    var noise = KeyedRandom(seed: 0, purpose: .test, epoch: iteration, item: Int64(rank))
    for i in 0..<images.count { images.values[i] = 4 * noise.uniform() - 2 }
    return DetectorInput(
      images: images,
      metas: ids.map { ImageMeta(imageID: $0, imgShape: size, padShape: size) },
      targets: ids.map(targets))
  }

  private func targets(ofImage id: Int64) -> ImageTargets {
    var random = KeyedRandom(seed: 1, purpose: .test, item: id)
    let boxes = (0..<8).map { _ in
      let (width, height) = (Float(size.width), Float(size.height))
      let (boxWidth, boxHeight) = (width * (0.1 + 0.4 * random.uniform()), height * (0.1 + 0.4 * random.uniform()))
      let (x, y) = ((width - boxWidth) * random.uniform(), (height - boxHeight) * random.uniform())
      return Box(x, y, x + boxWidth, y + boxHeight)
    }
    return ImageTargets(gtBoxes: boxes, gtLabels: boxes.map { _ in random.below(classes) })
  }
}

extension RunConfiguration {
  /// `faster_rcnn_r50_fpn_1x_coco`: the model, and plain SGD with momentum and weight decay.
  static var benchmark: RunConfiguration {
    var configuration = RunConfiguration()
    var backbone = ResNetConfiguration()
    (backbone.frozenStages, backbone.zeroInitResidual) = (1, false)
    configuration.model.backbone = .resNet(backbone)
    configuration.model.source = .rpnHead(.benchmark)
    configuration.model.roiHead?.stages = [.benchmark]
    configuration.model.roiHead?.detection.nms.iouThreshold = 0.5
    configuration.optimizer.momentum = 0.9
    configuration.optimizer.weightDecay = 1e-4
    return configuration
  }
}

extension RPNHeadConfiguration {
  fileprivate static var benchmark: RPNHeadConfiguration {
    var (head, assigner) = (RPNHeadConfiguration(), MaxIoUAssignerConfiguration())
    head.lossCls = ClassificationLoss(.sigmoid)
    assigner.minPosIoU = 0.3
    head.assigner = .maxIoU(assigner)
    head.testProposals.nmsPre = 1000
    return head
  }
}

extension RoIStageConfiguration {
  fileprivate static var benchmark: RoIStageConfiguration {
    var stage = RoIStageConfiguration()
    stage.bboxHead.bboxCoder = .deltaXYWH(DeltaXYWHBBoxCoderConfiguration(targetStds: [0.1, 0.1, 0.2, 0.2]))
    var (assigner, sampler) = (MaxIoUAssignerConfiguration(), RandomSamplerConfiguration())
    (assigner.posIoUThr, assigner.minPosIoU, assigner.matchLowQuality) = (0.5, 0.5, false)
    assigner.negIoUThr = .init(high: 0.5)
    (sampler.num, sampler.posFraction, sampler.addGtAsProposals) = (512, 0.25, true)
    (stage.assigner, stage.sampler) = (.maxIoU(assigner), .random(sampler))
    return stage
  }
}
