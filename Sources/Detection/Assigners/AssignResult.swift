import Primitives

/// Which ground truth each box stands for.
public struct AssignResult: Equatable, Sendable {
  /// -1: takes no part; 0: background; k + 1: ground truth k.
  public var gtInds: [Int32]
  /// The largest IoU with any ground truth; 0 without ground truths, -1 for boxes in ignored regions.
  public var maxOverlaps: [Float]
  /// The class of the assigned ground truth, -1 for other boxes; nil if no labels were given.
  public var labels: [Int]?

  public init(gtInds: [Int32], maxOverlaps: [Float], labels: [Int]?) {
    (self.gtInds, self.maxOverlaps, self.labels) = (gtInds, maxOverlaps, labels)
  }

  /// The result for the ground truths themselves, each assigned to itself, followed by these boxes. mmdetection's
  /// `add_gt_`.
  public func addingGroundTruths(labels gtLabels: [Int]) -> AssignResult {
    AssignResult(
      gtInds: (0..<gtLabels.count).map { Int32($0 + 1) } + gtInds,
      maxOverlaps: [Float](repeating: 1, count: gtLabels.count) + maxOverlaps,
      labels: labels.map { gtLabels + $0 })
  }
}
