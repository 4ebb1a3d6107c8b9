import Layers
import Primitives
import Tensors

/// The losses part of mmdetection's `BBoxHead`, with the accuracy that it logs.
public struct BBoxLosses {
  /// The classification loss is divided by the RoIs that have a weight; the regression loss, which looks at positives
  /// alone, by all of them (mmdetection's choice). With `reduction: none` each is a mean over its numbers, as the log of
  /// mmdetection takes it.
  public let terms: LossTerms
  private let configuration: BBoxHeadConfiguration
  private let regression: BoxRegression

  public init(_ configuration: BBoxHeadConfiguration) {
    self.configuration = configuration
    regression = configuration.regression
    var (terms, counts): ([LossTerm], [String]) = ([], [])
    if configuration.withCls {
      terms = [LossTerm("loss_cls", divisor: 0), LossTerm("acc", isSummed: false, divisor: 1)]
      counts = [configuration.lossCls.reduction == .none ? "scores" : "weighted RoIs", "sampled RoIs"]
    }
    if configuration.withReg {
      let isMeanOfAll = configuration.lossBBox.reduction == .none
      if isMeanOfAll || !configuration.withCls { counts.append(isMeanOfAll ? "deltas of positives" : "sampled RoIs") }
      terms.append(LossTerm("loss_bbox", divisor: counts.count - 1))
    }
    self.terms = LossTerms(terms, counts: counts)
  }

  /// The counts of `terms`.
  public func counts(_ targets: BBoxTargets) -> [Double] {
    let sampled = Double(targets.labels.count)
    var counts: [Double] = []
    if configuration.withCls {
      let loss = configuration.lossCls
      let numbersARow = loss.kind == .softmax ? 1 : configuration.numClasses + 1
      let weighted = targets.labelWeights.count { $0 > 0 }
      counts = [loss.reduction == .none ? sampled * Double(numbersARow) : Double(weighted), sampled]
    }
    guard configuration.withReg else { return counts }
    if configuration.lossBBox.reduction == .none {
      counts.append(Double(targets.positiveBoxes.count * configuration.lossBBox.lossesABox))
    } else if !configuration.withCls {
      counts.append(sampled)
    }
    return counts
  }

  /// The values of `terms`.
  public func callAsFunction(_ output: BBoxHeadOutput, _ targets: BBoxTargets, counts: [Double]) -> [TermValue] {
    var values: [TermValue] = []
    if let scores = output.scores {
      let cls = configuration.lossCls(
        scores, labels: targets.labels, weights: targets.labelWeights, averageFactor: counts[0])
      values = [.loss(cls), .number(100 * Double(correctCount(of: scores, labels: targets.labels)))]
    }
    if let deltas = output.deltas {
      let bbox = regression(
        deltas, elements: positiveElements(targets, width: deltas.shape[1]), boxes: targets.positiveBoxes,
        targets: targets.positiveTargets, averageFactor: counts[counts.count - 1])
      values.append(.loss(bbox))
    }
    return values
  }

  /// `weight 1 · loss_cls` of each region, `[R]`, as hard example mining sorts them.
  func classification(_ output: BBoxHeadOutput, labels: [Int]) -> [Float] {
    guard let scores = output.scores else { bug("hard examples are asked for, and there are no scores") }
    return configuration.lossCls.losses(
      scores, labels: labels, weights: [Float](repeating: 1, count: labels.count)
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
