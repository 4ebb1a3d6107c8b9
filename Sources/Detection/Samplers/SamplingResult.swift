import Primitives

/// The boxes of an image that training looks at.
public struct SamplingResult: Equatable, Sendable {
  /// Ascending indices of the positives and of the negatives, into the boxes that were assigned (after added ground
  /// truths, if any).
  public let posInds: [Int]
  public let negInds: [Int]
  /// The sampled boxes: positives, then negatives.
  public let boxes: [Box]
  /// For each positive: whether it is an added ground truth.
  public let posIsGt: [Bool]
  /// For each positive: the ground truth it stands for, as index, as box and as class (nil without labels).
  public let posAssignedGtInds: [Int]
  public let posGtBoxes: [Box]
  public let posGtLabels: [Int]?
  /// How many ground truths stand before the boxes that were assigned.
  public let numAddedGroundTruths: Int

  init(
    posInds: [Int], negInds: [Int], boxes: [Box], gtBoxes: [Box], numAddedGroundTruths: Int, assigned: AssignResult
  ) {
    (self.posInds, self.negInds, self.numAddedGroundTruths) = (posInds, negInds, numAddedGroundTruths)
    self.boxes = posInds.map { boxes[$0] } + negInds.map { boxes[$0] }
    posIsGt = posInds.map { $0 < numAddedGroundTruths }
    posAssignedGtInds = posInds.map { Int(assigned.gtInds[$0]) - 1 }
    posGtBoxes = posAssignedGtInds.map { gtBoxes[$0] }
    posGtLabels = assigned.labels.map { labels in posInds.map { labels[$0] } }
  }

  /// For each sampled box its index among the boxes that were assigned; nil for an added ground truth.
  public var origins: [Int?] {
    (posInds + negInds).map { $0 < numAddedGroundTruths ? nil : $0 - numAddedGroundTruths }
  }

  public var posBoxes: ArraySlice<Box> { boxes.prefix(posInds.count) }
  public var negBoxes: ArraySlice<Box> { boxes.dropFirst(posInds.count) }
}
