import Layers
import Primitives
import Tensors

/// `model.rpn_head`, type `RPNHead`, with `train_cfg.rpn`, `train_cfg.rpn_proposal` and `test_cfg.rpn`.
public struct RPNHeadConfiguration: Equatable, Sendable {
  public var inChannels = 256
  public var featChannels = 256
  /// 3×3 convolutions, each with ReLU. mmdetection 2.11 always has one; more, and their names, are later versions'.
  public var numConvs = 1
  public var anchorGenerator = AnchorGeneratorConfiguration()
  public var bboxCoder = BoxCoderConfiguration.deltaXYWH(DeltaXYWHBBoxCoderConfiguration())
  public var lossCls = ClassificationLoss()
  public var lossBBox = BoxRegressionLoss()
  /// The regression loss compares boxes, not deltas.
  public var regDecodedBBox = false
  public var assigner = AssignerConfiguration.maxIoU(MaxIoUAssignerConfiguration())
  public var sampler = SamplerConfiguration.random(RandomSamplerConfiguration())
  /// Below 0: every valid anchor takes part.
  public var allowedBorder: Float = -1
  /// At most 0: weight 1 for positives.
  public var posWeight: Float = -1
  public var trainProposals = ProposalConfiguration()
  public var testProposals = ProposalConfiguration()

  public init() {}

  /// The logits of an anchor: one, or with softmax foreground and background.
  var scoresAnAnchor: Int { lossCls.kind == .softmax ? 2 : 1 }

  var regression: BoxRegression {
    BoxRegression(coder: bboxCoder.make(), loss: lossBBox, isOfDecodedBoxes: regDecodedBBox)
  }
}

/// The region proposal network's head (Ren et al., 2015), shared over all pyramid levels: a 3×3 convolution with
/// ReLU (or several), then two 1×1 convolutions for objectness and box deltas. mmdetection's `RPNHead`.
///
/// An image's anchors are numbered level by level, then row, column, base anchor: as the maps lie in memory.
public struct RPNHead: ProposalSource {
  /// What the head says of each level: `scores` `[N, H, W, A]` (or `[N, H, W, 2·A]` with softmax, for each anchor
  /// foreground then background), `deltas` `[N, H, W, 4·A]`.
  public struct Output {
    public let scores: [Tensor]
    public let deltas: [Tensor]

    /// The height and width of each level's map.
    public var featmapSizes: [ImageSize] { scores.map { ImageSize(height: $0.shape[1], width: $0.shape[2]) } }
  }

  private let configuration: RPNHeadConfiguration
  /// All 3×3 convolutions but the last one.
  private let leading: [ConvolutionModule]
  private let convolution: Convolution2D
  private let classifier: Convolution2D
  private let regressor: Convolution2D
  private let targeter: AnchorTargeter
  private let selector: ProposalSelector
  private let regression: BoxRegression
  private let anchorsACell: Int

  public let terms = LossTerms(
    [LossTerm("loss_rpn_cls", divisor: 0), LossTerm("loss_rpn_bbox", divisor: 0)], counts: ["sampled anchors"])

  public init(_ configuration: RPNHeadConfiguration, in scope: LayerScope) {
    self.configuration = configuration
    let generator = AnchorGenerator(configuration.anchorGenerator)
    anchorsACell = generator.numBaseAnchors[0]
    targeter = AnchorTargeter(configuration)
    selector = ProposalSelector(configuration)
    regression = configuration.regression
    func layer(_ name: String, _ inChannels: Int, _ outChannels: Int, kernel: Int) -> Convolution2D {
      Convolution2D(
        inChannels, outChannels, kernel: kernel, padding: kernel / 2, hasBias: true, initializer: .normal(0.01),
        in: scope.scope(name))
    }
    let channels = configuration.featChannels
    let last = configuration.numConvs - 1
    leading = (0..<last).map { index in
      ConvolutionModule(
        index == 0 ? configuration.inChannels : channels, channels, kernel: 3, norm: nil, relu: true,
        initializer: .normal(0.01), in: scope.scope("rpn_conv.\(index)"))
    }
    convolution = layer(
      last == 0 ? "rpn_conv" : "rpn_conv.\(last).conv", last == 0 ? configuration.inChannels : channels, channels,
      kernel: 3)
    classifier = layer("rpn_cls", channels, anchorsACell * configuration.scoresAnAnchor, kernel: 1)
    regressor = layer("rpn_reg", channels, anchorsACell * 4, kernel: 1)
  }

  /// What the head says of all cells. It is not recorded: the losses look at the sampled cells alone.
  ///
  /// `levels`: the pyramid's maps, each `[N, H, W, in]`, finest first.
  public func callAsFunction(_ levels: [Tensor]) throws -> Output {
    try levels[0].engine.withoutTape { output(try deepened(levels)) }
  }

  /// The levels behind all 3×3 convolutions but the last one, of which there is one mostly. Recorded.
  package func deepened(_ levels: [Tensor]) throws -> [Tensor] {
    try levels.map { level in try leading.reduce(level) { try $1($0) } }
  }

  private func output(_ levels: [Tensor]) -> Output {
    levels[0].engine.withoutTape {
      let outputs = levels.map { level in
        let hidden = convolution(level, relu: true)
        return (classifier(hidden), regressor(hidden))
      }
      return Output(scores: outputs.map(\.0), deltas: outputs.map(\.1))
    }
  }

  public func train(
    _ levels: [Tensor], _ input: DetectorInput, _ draws: Draws
  ) throws -> (proposals: [[Proposal]], losses: PendingLosses) {
    let levels = try deepened(levels)
    let output = output(levels)
    let targets = try targets(for: output, input: input, draws)
    let selected = select(from: output, metas: input.metas, isTraining: true)
    let hasDiverged = selected.contains { $0.numNotFinite > 0 }
    return (selected.map(\.proposals), pendingLosses(levels, targets, hasDiverged: hasDiverged))
  }

  /// What the head has to learn, where nobody wants its proposals.
  func losses(_ levels: [Tensor], _ input: DetectorInput, _ draws: Draws) throws -> PendingLosses {
    let levels = try deepened(levels)
    return pendingLosses(levels, try targets(for: output(levels), input: input, draws), hasDiverged: false)
  }

  private func pendingLosses(_ levels: [Tensor], _ targets: AnchorTargets, hasDiverged: Bool) -> PendingLosses {
    PendingLosses(counts: [targets.averageFactor]) { counts in
      let (cls, bbox) = self.losses(levels, targets, averageFactor: counts[0])
      // Boxes that are none leave no other trace where no sampled anchor is among them.
      if hasDiverged { bbox.values[0] = .nan }
      return [.loss(cls), .loss(bbox)]
    }
  }

  public func propose(_ levels: [Tensor], _ input: DetectorInput) throws -> [[Proposal]] {
    let selected = select(from: try self(levels), metas: input.metas, isTraining: false)
    for (image, meta) in zip(selected, input.metas) where image.numNotFinite > 0 {
      throw DivergenceError(image: meta.imageID, count: image.numNotFinite, of: "proposals")
    }
    return selected.map(\.proposals)
  }

  /// The sampled anchors of each image with what they should have said.
  package func targets(for output: Output, input: DetectorInput, _ draws: Draws) throws -> AnchorTargets {
    try targeter.targets(
      featmapSizes: output.featmapSizes, metas: input.metas, targets: input.targets,
      randoms: input.metas.map { draws.random(.rpnSampler, $0) })
  }

  private func select(from output: Output, metas: [ImageMeta], isTraining: Bool) -> [SelectedProposals] {
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
  /// - Parameter levels: `deepened`.
  package func losses(
    _ levels: [Tensor], _ targets: AnchorTargets, averageFactor: Double
  ) -> (cls: Tensor, bbox: Tensor) {
    let cells = targets.cells(anchorsACell: anchorsACell)
    let hidden = convolution(levels, at: cells.ofLevel, relu: true)
    let (scores, width) = (classifier.onRows(hidden), configuration.scoresAnAnchor)
    let (positives, negatives) = (cells.positives.count, cells.negatives.count)
    // The foreground is class 0, the background class 1 (which a binary loss does not have).
    let cls = configuration.lossCls(
      scores.reshaped([scores.count / width, width]), rows: cells.positives + cells.negatives,
      labels: [Int](repeating: 0, count: positives) + [Int](repeating: 1, count: negatives),
      weights: [Float](repeating: targets.positiveWeight, count: positives)
        + [Float](repeating: 1, count: negatives),
      averageFactor: averageFactor)
    let bbox = regression(
      regressor.onRows(hidden), elements: cells.positives.flatMap { $0 * 4..<$0 * 4 + 4 },
      boxes: cells.positiveBoxes, targets: cells.positiveTargets, averageFactor: averageFactor)
    return (cls, bbox)
  }

  private static func slice(_ map: Tensor, _ image: Int) -> [Float] {
    let count = map.count / map.shape[0]
    return map.array(image * count..<(image + 1) * count)
  }
}
