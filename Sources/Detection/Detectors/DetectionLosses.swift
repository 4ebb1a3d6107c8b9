import Tensors

/// The four losses of a step as scalars on the tape, and what accuracy is made of.
public struct DetectionLosses {
  public let rpnCls: Tensor
  public let rpnBBox: Tensor
  public let cls: Tensor
  public let bbox: Tensor
  /// How many of this rank's sampled RoIs were classified right.
  public let correct: Int
  /// How many RoIs this rank sampled.
  public let samples: Int

  /// The sum, from which the backward pass starts.
  public var total: Tensor { Tensor.sum(of: [rpnCls, rpnBBox, cls, bbox]) }
}

/// What the losses are divided by (mmdetection's `avg_factor`s), of this rank or of the global batch.
package struct LossNormalizers {
  /// Σ over images of max(positives, 1) + max(negatives, 1): for both RPN losses, on every level.
  private(set) var anchors: Double
  /// The RoIs with a label weight above 0.
  private(set) var weightedRoIs: Double
  /// All sampled RoIs, positives or not.
  private(set) var roIs: Double

  package init(anchors: Double = 0, weightedRoIs: Double = 0, roIs: Double = 0) {
    (self.anchors, self.weightedRoIs, self.roIs) = (anchors, weightedRoIs, roIs)
  }

  init(anchors: AnchorTargets, samples: RoISamples) {
    self.anchors = Double(anchors.numTotalSamples)
    weightedRoIs = Double(samples.targets.labelWeights.count { $0 > 0 })
    roIs = Double(samples.targets.labels.count)
  }

  /// Adds the counts of all ranks.
  mutating func sum(over synchronizer: any StatisticsSynchronizer) throws {
    var counts = [anchors, weightedRoIs, roIs]
    try synchronizer.sum(&counts)
    (anchors, weightedRoIs, roIs) = (counts[0], counts[1], counts[2])
  }
}
