import Detection
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
    configuration.model.backbone.frozenStages = 1
    configuration.model.backbone.zeroInitResidual = false
    configuration.model.rpnHead.lossCls.useSigmoid = true
    configuration.model.rpnHead.assigner.minPosIoU = 0.3
    configuration.model.rpnHead.testProposals.nmsPre = 1000
    configuration.model.roiHead.useRCNNDefaults()
    configuration.optimizer.momentum = 0.9
    configuration.optimizer.weightDecay = 1e-4
    return configuration
  }
}

extension RoIHeadConfiguration {
  fileprivate mutating func useRCNNDefaults() {
    bboxHead.bboxCoder.targetStds = [0.1, 0.1, 0.2, 0.2]
    assigner.posIoUThr = 0.5
    assigner.negIoUThr = (0, 0.5)
    assigner.minPosIoU = 0.5
    assigner.matchLowQuality = false
    sampler.num = 512
    sampler.posFraction = 0.25
    sampler.addGtAsProposals = true
    nms.iouThreshold = 0.5
  }
}
