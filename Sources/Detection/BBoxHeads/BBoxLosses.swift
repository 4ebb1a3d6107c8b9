import Layers
import Tensors

/// The losses part of mmdetection's `BBoxHead`, with the accuracy that it logs.
public struct BBoxLosses {
  /// The classification loss is divided by the RoIs that have a weight; the regression loss, which looks at positives
  /// alone, by all of them (mmdetection's choice).
  public static let terms = LossTerms(
    [
      LossTerm("loss_cls", divisor: 0), LossTerm("acc", isSummed: false, divisor: 1),
      LossTerm("loss_bbox", divisor: 1),
    ], counts: ["weighted RoIs", "sampled RoIs"])

  private let configuration: BBoxHeadConfiguration
  private let regression: BoxRegression

  public init(_ configuration: BBoxHeadConfiguration) {
    self.configuration = configuration
    regression = configuration.regression
  }

  /// The counts of `terms`.
  public func counts(_ targets: BBoxTargets) -> [Double] {
    [Double(targets.labelWeights.count { $0 > 0 }), Double(targets.labels.count)]
  }

  /// The values of `terms`.
  public func callAsFunction(_ output: BBoxHeadOutput, _ targets: BBoxTargets, counts: [Double]) -> [TermValue] {
    let cls = configuration.lossCls(
      output.scores, labels: targets.labels, weights: targets.labelWeights, averageFactor: counts[0])
    let bbox = regression(
      output.deltas, elements: positiveElements(targets, width: output.deltas.shape[1]), boxes: targets.positiveBoxes,
      targets: targets.positiveTargets, averageFactor: counts[1])
    let correct = correctCount(of: output.scores, labels: targets.labels)
    return [.loss(cls), .number(100 * Double(correct)), .loss(bbox)]
  }

  /// `weight 1 · loss_cls` of each region, `[R]`, as hard example mining sorts them.
  func classification(_ output: BBoxHeadOutput, labels: [Int]) -> [Float] {
    configuration.lossCls.losses(
      output.scores, labels: labels, weights: [Float](repeating: 1, count: labels.count)
    ).array
  }

  /// The deltas of each positive RoI's own class.
  private func positiveElements(_ targets: BBoxTargets, width: Int) -> [Int32] {
    var elements: [Int32] = []
    for (row, label) in targets.labels.enumerated() where label < configuration.numClasses {
      let first = Int32(row * width + (configuration.regClassAgnostic ? 0 : 4 * label))
      elements.append(contentsOf: first..<first + 4)
    }
    return elements
  }
}
