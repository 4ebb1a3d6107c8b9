import Layers
import Tensors

/// `model`, types `FasterRCNN` and `CascadeRCNN`.
public struct TwoStageConfiguration: Equatable, Sendable {
  public var backbone = BackboneConfiguration.resNet(ResNetConfiguration())
  public var neck = NeckConfiguration.fpn(FPNConfiguration())
  public var source = ProposalSourceConfiguration.rpnHead(RPNHeadConfiguration())
  public var roiHead = RoIHeadConfiguration()
  /// `mpi.keep_levels_in_graph`: a level without RoIs still gets a gradient, of exact zeros.
  public var keepLevelsInGraph = true
  /// `mpi.loss_normalizer`: counts are summed over all ranks (`global`), or each rank divides by its own.
  public var normalizesLossesGlobally = true
  /// `mpi.recompute`: stages of the backbone, from 1 on, whose maps are computed again in the backward pass.
  public var recompute: [Int] = []

  public init() {}

  /// Of all stages; the background is not counted.
  public var numClasses: Int { roiHead.numClasses }
}

/// Proposals, and a head that classifies and refines them: mmdetection's `TwoStageDetector`. With an RPN and a feature
/// pyramid it is Faster R-CNN (Ren et al., 2015; Lin et al., 2017), with a cascade of heads Cascade R-CNN.
public struct TwoStageDetector: Detector {
  package let backbone: any Backbone
  package let neck: any Neck
  package let source: any ProposalSource
  package let roiHead: RoIHead
  public let terms: LossTerms

  /// Registers all parameters, in mmdetection's names, in the order in which the forward pass uses them.
  public init(_ configuration: TwoStageConfiguration, in scope: LayerScope) {
    backbone = configuration.backbone.make(in: scope.scope("backbone"), recomputing: configuration.recompute)
    neck = configuration.neck.make(in: scope.scope("neck"))
    source = configuration.source.make(in: scope)
    roiHead = RoIHead(
      configuration.roiHead, keepLevelsInGraph: configuration.keepLevelsInGraph, in: scope.scope("roi_head"))
    terms = source.terms + roiHead.terms
  }

  /// The maps that the heads look at, finest first.
  package func levels(_ images: Tensor) throws -> [Tensor] { try neck(backbone(images)) }

  public func train(_ input: DetectorInput, _ draws: Draws) throws -> PendingLosses {
    let levels = try levels(input.images)
    let (proposals, losses) = try source.train(levels, input, draws)
    return losses + (try roiHead.train(levels, proposals, input, draws))
  }

  public func detect(_ input: DetectorInput) throws -> [[Detection]] {
    let levels = try levels(input.images)
    return try roiHead.detect(levels, proposals: source.propose(levels, metas: input.metas), metas: input.metas)
  }
}
