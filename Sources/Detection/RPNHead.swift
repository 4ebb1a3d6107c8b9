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

  private static func slice(_ map: Tensor, _ image: Int) -> [Float] {
    let count = map.count / map.shape[0]
    return map.array(image * count..<(image + 1) * count)
  }
}
