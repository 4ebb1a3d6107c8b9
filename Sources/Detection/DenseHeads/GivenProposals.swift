import Primitives
import Tensors

/// Proposals that come with the pictures: mmdetection's `FastRCNN`. There is nothing to learn about them.
struct GivenProposals: ProposalSource {
  let terms = LossTerms([], counts: [])

  func train(
    _ levels: [Tensor], _ input: DetectorInput, _ draws: Draws
  ) throws -> (proposals: [[Proposal]], losses: PendingLosses) {
    (proposals(of: input), PendingLosses(counts: []) { _ in [] })
  }

  func propose(_ levels: [Tensor], _ input: DetectorInput) throws -> [[Proposal]] { proposals(of: input) }

  /// Their places in the file tell them apart.
  private func proposals(of input: DetectorInput) -> [[Proposal]] {
    require(
      input.proposals.count == input.metas.count,
      "\(input.proposals.count) lists of proposals for \(input.metas.count) images")
    return input.proposals.map { boxes in
      boxes.enumerated().map { Proposal(box: $1, score: 1, anchor: $0) }
    }
  }
}
