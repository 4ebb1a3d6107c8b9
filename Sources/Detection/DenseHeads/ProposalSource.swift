import Layers
import Tensors

/// Where the regions come from that the RoI head looks at.
public protocol ProposalSource {
  /// What it adds to a step's report; fixed when it is built.
  var terms: LossTerms { get }

  /// Training: the proposals of each image, best first, and what the source itself has to learn.
  /// - Parameters:
  ///   - levels: the neck's maps, finest first.
  ///   - input: the batch.
  ///   - draws: what random samplers are keyed by, besides the image.
  func train(
    _ levels: [Tensor], _ input: DetectorInput, _ draws: Draws
  ) throws -> (proposals: [[Proposal]], losses: PendingLosses)

  /// Test mode: the proposals of each image, best first.
  /// - Throws: `DivergenceError`.
  func propose(_ levels: [Tensor], _ input: DetectorInput) throws -> [[Proposal]]
}

/// `model.rpn_head`, or none.
public enum ProposalSourceConfiguration: Equatable, Sendable {
  case rpnHead(RPNHeadConfiguration)
  /// They come with the pictures.
  case given

  /// - Parameter scope: the detector's.
  func make(in scope: LayerScope) -> any ProposalSource {
    switch self {
    case .rpnHead(let configuration): RPNHead(configuration, in: scope.scope("rpn_head"))
    case .given: GivenProposals()
    }
  }
}
