import Primitives

/// Chooses the boxes of an image that training looks at.
public protocol Sampler {
  /// - Parameters:
  ///   - candidates: the boxes to choose among.
  ///   - random: keyed by the image.
  func sample(_ candidates: SamplingCandidates, random: inout KeyedRandom) throws -> SamplingResult
}

/// The assigned boxes of an image.
public struct SamplingCandidates {
  /// The classification loss of each of some boxes, given the class that it should have, as the head stands: what
  /// hard example mining sorts by.
  public typealias ClassificationLosses = (_ boxes: [Box], _ labels: [Int]) throws -> [Float]

  public let assigned: AssignResult
  public let boxes: [Box]
  /// A number for each box that stays its own when others come or go: its anchor.
  public let identities: [Int]
  public let gtBoxes: [Box]
  /// nil in the RPN.
  public let gtLabels: [Int]?
  /// The class of a box that shows nothing; nil in the RPN.
  public let backgroundLabel: Int?
  /// nil in the RPN.
  public let losses: ClassificationLosses?

  /// - Parameters:
  ///   - assigned: which ground truth each box stands for.
  ///   - boxes: the boxes to choose among.
  ///   - identities: nil: the boxes' indices.
  ///   - gtBoxes: the ground truths.
  ///   - gtLabels: the class of each ground truth; nil in the RPN.
  ///   - backgroundLabel: the class of a box that shows nothing; nil in the RPN.
  ///   - losses: what hard example mining sorts by; nil in the RPN.
  public init(
    assigned: AssignResult, boxes: [Box], identities: [Int]? = nil, gtBoxes: [Box], gtLabels: [Int]? = nil,
    backgroundLabel: Int? = nil, losses: ClassificationLosses? = nil
  ) {
    (self.assigned, self.boxes, self.gtBoxes, self.gtLabels) = (assigned, boxes, gtBoxes, gtLabels)
    (self.identities, self.losses) = (identities ?? Array(boxes.indices), losses)
    self.backgroundLabel = backgroundLabel
  }

  /// With the ground truths before the boxes, each assigned to itself (`add_gt_as_proposals`).
  func addingGroundTruths() -> SamplingCandidates {
    guard let gtLabels else { bug("add_gt_as_proposals needs the labels of ground truths") }
    return SamplingCandidates(
      assigned: assigned.addingGroundTruths(labels: gtLabels), boxes: gtBoxes + boxes,
      identities: gtBoxes.indices.map { -1 - $0 } + identities, gtBoxes: gtBoxes, gtLabels: gtLabels,
      backgroundLabel: backgroundLabel, losses: losses)
  }
}

/// `sampler`.
public enum SamplerConfiguration: Equatable, Sendable {
  case random(RandomSamplerConfiguration)
  /// `PseudoSampler`: everything.
  case pseudo

  public func make() -> any Sampler {
    switch self {
    case .random(let configuration): RandomSampler(configuration)
    case .pseudo: PseudoSampler()
    }
  }
}
