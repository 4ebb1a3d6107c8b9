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

  /// What the head says of all cells. It is not recorded: the losses look at the sampled cells alone.
  ///
  /// `levels`: the pyramid's maps, each `[N, H, W, in]`, finest first.
  public func callAsFunction(_ levels: [Tensor]) -> Output {
    levels[0].engine.withoutTape {
      let outputs = levels.map { level in
        let hidden = convolution(level, relu: true)
        return (classifier(hidden), regressor(hidden))
      }
      return Output(scores: outputs.map(\.0), deltas: outputs.map(\.1))
    }
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

  /// Both losses, each over the samples of all levels: mmdetection divides every level's by the same number of samples.
  ///
  /// The head is run, and recorded, once more on the sampled cells: at most 256 of an image's tens of thousands, and the
  /// gradients of all others are zero. Every level gets a gradient.
  package func losses(
    _ levels: [Tensor], _ targets: AnchorTargets, _ normalizers: LossNormalizers
  ) -> (cls: Tensor, bbox: Tensor) {
    let scale = 1 / Float(max(normalizers.anchors, 1))
    let cells = targets.cells(anchorsACell: anchorsACell)
    let hidden = convolution(levels, at: cells.ofLevel, relu: true)
    let cls = classificationLoss(classifier.onRows(hidden), cells, targets.positiveWeight, scale: scale)
    let bbox = configuration.lossBBox.loss(
      regressor.onRows(hidden), elements: cells.positives.flatMap { $0 * 4..<$0 * 4 + 4 },
      targets: cells.positiveDeltas, scale: scale)
    return (cls, bbox)
  }

  /// Sigmoid: a positive anchor's score should be 1. Softmax: the foreground is class 0, the background class 1.
  private func classificationLoss(
    _ scores: Tensor, _ cells: AnchorTargets.Cells, _ positiveWeight: Float, scale: Float
  ) -> Tensor {
    let (positives, negatives) = (cells.positives.count, cells.negatives.count)
    let weights = [Float](repeating: positiveWeight, count: positives) + [Float](repeating: 1, count: negatives)
    let loss = configuration.lossCls
    guard loss.useSigmoid else {
      let labels = [Int32](repeating: 0, count: positives) + [Int32](repeating: 1, count: negatives)
      return Tensor.softmaxCrossEntropy(
        logits: scores.reshaped([scores.count / 2, 2]), rows: cells.positives + cells.negatives, labels: labels,
        weights: weights, classWeight: loss.classWeight, scale: loss.lossWeight * scale)
    }
    let targets = [Float](repeating: 1, count: positives) + [Float](repeating: 0, count: negatives)
    return Tensor.sigmoidCrossEntropy(
      logits: scores, elements: cells.positives + cells.negatives, targets: targets, weights: weights,
      scale: loss.lossWeight * scale)
  }

  private static func slice(_ map: Tensor, _ image: Int) -> [Float] {
    let count = map.count / map.shape[0]
    return map.array(image * count..<(image + 1) * count)
  }
}
