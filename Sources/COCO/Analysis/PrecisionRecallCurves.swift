import Primitives

/// The precision at COCO's 101 recalls, as pycocotools' `accumulate` makes it: all sizes, the largest of `maxDets`.
public struct PrecisionRecallCurve: Hashable, Sendable {
  /// 0, 0.01, … 1: the recalls of all curves.
  public static var recalls: [Double] { EvaluationParameters.recalls }

  /// At each recall the largest precision there or further on, 0 where the recall is not reached.
  public let precisions: [Double]

  /// The area below the curve.
  public var averagePrecision: Double { precisions.reduce(0, +) / Double(precisions.count) }
}

/// The curves of one class, or the means of all.
public struct CurvesByOverlap: Hashable, Sendable {
  /// At IoU 0.5.
  public let at50: PrecisionRecallCurve
  /// At IoU 0.75.
  public let at75: PrecisionRecallCurve
  /// The mean over IoU 0.5, 0.55, … 0.95.
  public let mean: PrecisionRecallCurve
}

/// Precision over recall, of all classes and of each.
public struct PrecisionRecallCurves: Hashable, Sendable {
  /// The mean over the classes that have objects; nil if none has.
  public let overall: CurvesByOverlap?
  /// By label; nil for a class that has no object.
  public let classes: [CurvesByOverlap?]
}

extension PrecisionRecallCurve {
  /// The mean of curves, or nil of none.
  fileprivate init?(meanOf curves: [[Double]]) {
    guard let first = curves.first else { return nil }
    let sums = curves.dropFirst().reduce(first) { sums, curve in zip(sums, curve).map(+) }
    self.init(precisions: sums.map { $0 / Double(curves.count) })
  }
}

extension PrecisionRecallCurves {
  /// - Parameter result: with COCO's ten thresholds.
  init(_ result: EvaluationResult) {
    let overlaps = result.parameters.overlaps
    guard let half = overlaps.firstIndex(of: 0.5), let tight = overlaps.firstIndex(of: 0.75) else {
      bug("IoU 0.5 and 0.75 are not among \(overlaps)")
    }
    /// By threshold the curves of some classes.
    func curves(_ labels: Range<Int>) -> [[[Double]]] {
      overlaps.indices.map { threshold in labels.compactMap { result.precisions(threshold: threshold, label: $0) } }
    }
    func means(_ labels: Range<Int>) -> CurvesByOverlap? {
      let curves = curves(labels)
      guard let at50 = PrecisionRecallCurve(meanOf: curves[half]),
        let at75 = PrecisionRecallCurve(meanOf: curves[tight]),
        let mean = PrecisionRecallCurve(meanOf: curves.flatMap { $0 })
      else { return nil }
      return CurvesByOverlap(at50: at50, at75: at75, mean: mean)
    }
    overall = means(0..<result.labelCount)
    classes = (0..<result.labelCount).map { means($0..<$0 + 1) }
  }
}
