import Primitives

/// What the box head should say of the sampled RoIs of a batch, in mmdetection's `bbox2roi` order: image by image, an
/// image's positives before its negatives.
public struct BBoxTargets: Equatable, Sendable {
  /// 0 ..< number of classes, or the number of classes for background.
  public fileprivate(set) var labels: [Int] = []
  /// The weight of each RoI in the classification loss.
  public fileprivate(set) var labelWeights: [Float] = []
  /// The RoIs that aren't background, in their order.
  public fileprivate(set) var positiveBoxes: [Box] = []
  /// `[positives, 4]`: deltas, or with `reg_decoded_bbox` ground truths. The regression loss weighs them with 1 and
  /// everything else with 0.
  public fileprivate(set) var positiveTargets: [Float] = []
}

/// The targets part of mmdetection's `BBoxHead`.
public struct BBoxTargeter {
  private let numClasses: Int
  private let positiveWeight: Float
  private let regression: BoxRegression

  /// - Parameters:
  ///   - configuration: of the head whose targets these are.
  ///   - posWeight: `train_cfg.rcnn.pos_weight`; at most 0: weight 1 for positives.
  public init(_ configuration: BBoxHeadConfiguration, posWeight: Float) {
    numClasses = configuration.numClasses
    positiveWeight = posWeight <= 0 ? 1 : posWeight
    regression = configuration.regression
  }

  /// - Parameter samples: of each image; with labels.
  public func targets(_ samples: [SamplingResult]) -> BBoxTargets {
    var targets = BBoxTargets()
    for image in samples {
      let (positives, negatives) = (image.posInds.count, image.negInds.count)
      guard let labels = image.posGtLabels else { bug("the sampled RoIs have no labels") }
      targets.labels += labels + [Int](repeating: numClasses, count: negatives)
      targets.labelWeights += [Float](repeating: positiveWeight, count: positives)
      targets.labelWeights += [Float](repeating: 1, count: negatives)
      targets.positiveBoxes += image.posBoxes
      targets.positiveTargets += regression.targets(Array(image.posBoxes), gtBoxes: image.posGtBoxes)
    }
    return targets
  }
}
