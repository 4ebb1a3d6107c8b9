import Layers
import Primitives
import Tensors

/// The region proposal network's head (Ren et al., 2015), shared over all pyramid levels: a 3×3 convolution with
/// ReLU, then two 1×1 convolutions for objectness and box deltas. mmdetection's `RPNHead`.
///
/// An image's anchors are numbered level by level, then row, column, base anchor: as the maps lie in memory.
public struct RPNHead {
  /// What the head says of each level: `scores` `[N, H, W, A]` (or `[N, H, W, 2·A]` with softmax, for each anchor
  /// foreground then background), `deltas` `[N, H, W, 4·A]`.
  public struct Output {
    public let scores: [Tensor]
    public let deltas: [Tensor]

    /// The height and width of each level's map.
    public var featmapSizes: [ImageSize] { scores.map { ImageSize(height: $0.shape[1], width: $0.shape[2]) } }
  }

  private let configuration: RPNHeadConfiguration
  private let convolution: Convolution2D
  private let classifier: Convolution2D
  private let regressor: Convolution2D
  private let targeter: AnchorTargeter
  private let selector: ProposalSelector
  private let anchorsACell: Int

  public init(_ configuration: RPNHeadConfiguration, in scope: LayerScope) {
    self.configuration = configuration
    let generator = AnchorGenerator(configuration.anchorGenerator)
    anchorsACell = generator.numBaseAnchors[0]
    targeter = AnchorTargeter(configuration)
    selector = ProposalSelector(configuration)
    func layer(_ name: String, _ inChannels: Int, _ outChannels: Int, kernel: Int) -> Convolution2D {
      Convolution2D(
        inChannels, outChannels, kernel: kernel, padding: kernel / 2, hasBias: true, initializer: .normal(0.01),
        in: scope.scope(name))
    }
    let channels = configuration.featChannels
    let scoresAnAnchor = configuration.lossCls.useSigmoid ? 1 : 2
    convolution = layer("rpn_conv", configuration.inChannels, channels, kernel: 3)
    classifier = layer("rpn_cls", channels, anchorsACell * scoresAnAnchor, kernel: 1)
    regressor = layer("rpn_reg", channels, anchorsACell * 4, kernel: 1)
  }

  /// `levels`: the pyramid's maps, each `[N, H, W, in]`, finest first.
  public func callAsFunction(_ levels: [Tensor]) -> Output {
    let hidden = levels.map { convolution($0, relu: true) }
    return Output(scores: hidden.map { classifier($0) }, deltas: hidden.map { regressor($0) })
  }

  /// The sampled anchors of each image with what they should have said.
  public func targets(for output: Output, input: DetectorInput, seed: UInt64, epoch: Int) -> AnchorTargets {
    targeter.targets(
      featmapSizes: output.featmapSizes, metas: input.metas, targets: input.targets,
      randoms: input.metas.map {
        KeyedRandom(seed: seed, purpose: .rpnSampler, epoch: epoch, item: $0.imageID)
      })
  }

  /// The proposals of each image, best first.
  public func proposals(from output: Output, metas: [ImageMeta], isTraining: Bool) -> [[Proposal]] {
    metas.indices.map { image in
      selector.proposals(
        scores: output.scores.map { Self.slice($0, image) }, deltas: output.deltas.map { Self.slice($0, image) },
        featmapSizes: output.featmapSizes, imgShape: metas[image].imgShape,
        isTraining: isTraining)
    }
  }

  /// Both losses, each the sum over the levels: mmdetection divides every level's by the same number of samples.
  package func losses(
    _ output: Output, _ targets: AnchorTargets, _ normalizers: LossNormalizers
  ) -> (cls: Tensor, bbox: Tensor) {
    let divisor = Float(max(normalizers.anchors, 1))
    let levels = targets.levels
    let cls = levels.enumerated().map { index, level in
      classificationLoss(output.scores[index], level, targets.positiveWeight, scale: 1 / divisor)
    }
    let bbox = levels.enumerated().map { index, level in
      configuration.lossBBox.loss(
        output.deltas[index], elements: level.positives.flatMap { $0 * 4..<$0 * 4 + 4 },
        targets: level.positiveDeltas, scale: 1 / divisor)
    }
    return (Tensor.sum(of: cls), Tensor.sum(of: bbox))
  }

  /// Sigmoid: a positive anchor's score should be 1. Softmax: the foreground is class 0, the background class 1.
  private func classificationLoss(
    _ scores: Tensor, _ level: AnchorTargets.Level, _ positiveWeight: Float, scale: Float
  ) -> Tensor {
    let (positives, negatives) = (level.positives.count, level.negatives.count)
    let weights = [Float](repeating: positiveWeight, count: positives) + [Float](repeating: 1, count: negatives)
    let loss = configuration.lossCls
    guard loss.useSigmoid else {
      let labels = [Int32](repeating: 0, count: positives) + [Int32](repeating: 1, count: negatives)
      return Tensor.softmaxCrossEntropy(
        logits: scores.reshaped([scores.count / 2, 2]), rows: level.positives + level.negatives, labels: labels,
        weights: weights, classWeight: loss.classWeight, scale: loss.lossWeight * scale)
    }
    let targets = [Float](repeating: 1, count: positives) + [Float](repeating: 0, count: negatives)
    return Tensor.sigmoidCrossEntropy(
      logits: scores, elements: level.positives + level.negatives, targets: targets, weights: weights,
      scale: loss.lossWeight * scale)
  }

  private static func slice(_ map: Tensor, _ image: Int) -> [Float] {
    let count = map.count / map.shape[0]
    return map.array(image * count..<(image + 1) * count)
  }
}
