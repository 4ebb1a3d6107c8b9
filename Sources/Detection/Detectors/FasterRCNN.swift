import Layers
import Primitives
import Tensors

/// Faster R-CNN with a feature pyramid: mmdetection's `FasterRCNN` (`TwoStageDetector`).
public struct FasterRCNN {
  private let configuration: TwoStageConfiguration
  package let backbone: ResNet
  package let neck: FPN
  package let rpnHead: RPNHead
  package let roiHead: StandardRoIHead

  /// Registers all parameters, in mmdetection's names, in the order in which the forward pass uses them.
  public init(_ configuration: TwoStageConfiguration, in scope: LayerScope) {
    self.configuration = configuration
    backbone = ResNet(configuration.backbone, in: scope.scope("backbone"))
    neck = FPN(configuration.neck, in: scope.scope("neck"))
    rpnHead = RPNHead(configuration.rpnHead, in: scope.scope("rpn_head"))
    roiHead = StandardRoIHead(
      configuration.roiHead, keepLevelsInGraph: configuration.keepLevelsInGraph, in: scope.scope("roi_head"))
  }

  /// The training losses of a batch.
  ///
  /// - Parameters:
  ///   - seed, epoch: with the image ids, the key of the random samplers.
  ///   - synchronizer: adds the normalisers (sample counts) over all ranks, so that the losses are means over the
  ///     global batch; nil divides by this rank's own.
  public func losses(
    _ input: DetectorInput, seed: UInt64, epoch: Int, synchronizer: (any StatisticsSynchronizer)?
  ) throws -> DetectionLosses {
    let levels = try neck(backbone(input.images))
    let guesses = rpnHead(levels)
    let anchors = rpnHead.targets(for: guesses, input: input, seed: seed, epoch: epoch)
    let proposals = rpnHead.proposals(from: guesses, metas: input.metas, isTraining: true)
    let samples = roiHead.sample(proposals, input: input, seed: seed, epoch: epoch)
    let verdicts = roiHead(levels, regions: samples.regions)

    var normalizers = LossNormalizers(anchors: anchors, samples: samples)
    if let synchronizer { try normalizers.sum(over: synchronizer) }
    let (rpnCls, rpnBBox) = rpnHead.losses(levels, anchors, normalizers)
    let (cls, bbox) = roiHead.losses(verdicts, samples, normalizers)
    return DetectionLosses(
      rpnCls: rpnCls, rpnBBox: rpnBBox, cls: cls, bbox: bbox,
      correct: roiHead.correctCount(verdicts, samples), samples: samples.targets.labels.count)
  }

  /// Test mode: the detections of each image, in pixels of the original picture.
  public func detect(_ input: DetectorInput) throws -> [[Detection]] {
    let levels = try neck(backbone(input.images))
    let proposals = rpnHead.proposals(from: rpnHead(levels), metas: input.metas, isTraining: false)
    return roiHead.detect(levels, proposals: proposals.map { $0.map(\.box) }, metas: input.metas)
  }
}
