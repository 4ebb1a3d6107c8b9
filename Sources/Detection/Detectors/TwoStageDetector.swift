import Layers
import Primitives
import Tensors

/// `model`, types `FasterRCNN`, `CascadeRCNN`, `FastRCNN` and, without a RoI head, `RPN`.
public struct TwoStageConfiguration: Equatable, Sendable {
  public var backbone = BackboneConfiguration.resNet(ResNetConfiguration())
  /// nil: the heads look at the backbone's maps.
  public var neck: NeckConfiguration? = .fpn(FPNConfiguration())
  public var source = ProposalSourceConfiguration.rpnHead(RPNHeadConfiguration())
  /// nil: proposals are all that is wanted.
  public var roiHead: RoIHeadConfiguration? = RoIHeadConfiguration()
  /// `mpi.keep_levels_in_graph`: a level without RoIs still gets a gradient, of exact zeros.
  public var keepLevelsInGraph = true
  /// `mpi.loss_normalizer`: counts are summed over all ranks (`global`), or each rank divides by its own.
  public var normalizesLossesGlobally = true
  /// `mpi.recompute`: stages of the backbone, from 1 on, whose maps are computed again in the backward pass.
  public var recompute: [Int] = []

  public init() {}

  /// Of all stages; the background is not counted. nil where no classes are told apart.
  public var numClasses: Int? { roiHead?.numClasses }

  /// The maps that the heads look at.
  public var levels: [LevelShape] { neck?.levels(of: backbone.levels) ?? backbone.levels }

  /// Whether norms gather statistics of the batch while training.
  public var usesBatchStatistics: Bool {
    backbone.usesBatchStatistics || neck?.usesBatchStatistics ?? false || roiHead?.usesBatchStatistics ?? false
  }

  /// Registers all parameters, in mmdetection's names, in the order in which the forward pass uses them.
  public func make(in scope: LayerScope) -> any Detector {
    if let roiHead { return TwoStageDetector(self, roiHead, in: scope) }
    switch source {
    case .rpnHead(let head): return RPN(self, head, in: scope)
    case .given: bug("a detector without a head, and nothing to learn")
    }
  }
}

/// Proposals, and a head that classifies and refines them: mmdetection's `TwoStageDetector`. With an RPN and a feature
/// pyramid it is Faster R-CNN (Ren et al., 2015; Lin et al., 2017), with a cascade of heads Cascade R-CNN, with given
/// proposals Fast R-CNN.
public struct TwoStageDetector: Detector {
  package let features: FeatureExtractor
  package let source: any ProposalSource
  package let roiHead: RoIHead
  public let terms: LossTerms

  init(_ configuration: TwoStageConfiguration, _ roiHead: RoIHeadConfiguration, in scope: LayerScope) {
    features = FeatureExtractor(configuration, in: scope)
    source = configuration.source.make(in: scope)
    self.roiHead = RoIHead(
      roiHead, keepLevelsInGraph: configuration.keepLevelsInGraph, in: scope.scope("roi_head"))
    terms = source.terms + self.roiHead.terms
  }

  public func train(_ input: DetectorInput, _ draws: Draws) throws -> PendingLosses {
    let levels = try features(input.images)
    let (proposals, losses) = try source.train(levels, input, draws)
    return losses + (try roiHead.train(levels, proposals, input, draws))
  }

  public func detect(_ input: DetectorInput) throws -> [[Detection]] {
    let levels = try features(input.images)
    return try roiHead.detect(levels, proposals: source.propose(levels, input), metas: input.metas)
  }
}
