import Layers
import Primitives
import Tensors

/// The region proposal network alone; mmdetection's `RPN`. Its detections are proposals: of one class, 0, with their
/// objectness.
public struct RPN: Detector {
  package let features: FeatureExtractor
  package let head: RPNHead
  public var terms: LossTerms { head.terms }

  /// Registers all parameters, in mmdetection's names, in the order in which the forward pass uses them.
  init(_ configuration: TwoStageConfiguration, _ head: RPNHeadConfiguration, in scope: LayerScope) {
    features = FeatureExtractor(configuration, in: scope)
    self.head = RPNHead(head, in: scope.scope("rpn_head"))
  }

  public func train(_ input: DetectorInput, _ draws: Draws) throws -> PendingLosses {
    try head.losses(features(input.images), input, draws)
  }

  public func detect(_ input: DetectorInput) throws -> [[Detection]] {
    let proposals = try head.propose(features(input.images), input)
    return zip(proposals, input.metas).map { proposals, meta in
      let (x, y) = meta.scaleFactor
      return proposals.map { proposal in
        let box = proposal.box
        return Detection(box: Box(box.x1 / x, box.y1 / y, box.x2 / x, box.y2 / y), score: proposal.score, label: 0)
      }
    }
  }
}
