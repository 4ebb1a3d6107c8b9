import Primitives

/// A box that the detector reports.
public struct Detection: Equatable, Sendable {
  public let box: Box
  /// 0 … 1.
  public let score: Float
  /// 0 ..< number of classes.
  public let label: Int

  public init(box: Box, score: Float, label: Int) { (self.box, self.score, self.label) = (box, score, label) }
}

extension NonMaximumSuppression {
  /// Every pair of box and class whose score is above `scoreThr` is a candidate of its own; suppression happens within
  /// classes. mmdetection's `multiclass_nms`.
  ///
  /// - Parameters:
  ///   - boxes: `[n, numClasses]`, or `[n]` where all classes share a box.
  ///   - scores: `[n, numClasses + 1]`; the last column, the background, isn't looked at.
  ///   - numClasses: without the background.
  ///   - scoreThr: what a score must be above.
  ///   - configuration: how boxes are suppressed.
  ///   - maxPerImg: the number of detections wanted; 0 or less means all.
  ///   - scoreFactors: `[n]`, multiplied to the scores after the comparison with `scoreThr`.
  /// - Returns: best first.
  public static func multiclassNMS(
    _ boxes: [Box], scores: [Float], numClasses: Int, scoreThr: Float, configuration: NMSConfiguration, maxPerImg: Int,
    scoreFactors: [Float]? = nil
  ) -> [Detection] {
    let count = scores.count / (numClasses + 1)
    let sharesBoxes = boxes.count == count
    require(sharesBoxes || boxes.count == count * numClasses, "\(boxes.count) boxes for \(count) rows of scores")
    var (candidates, values, labels): ([Box], [Float], [Int]) = ([], [], [])
    for i in 0..<count {
      for label in 0..<numClasses {
        let score = scores[i * (numClasses + 1) + label]
        guard score > scoreThr else { continue }
        candidates.append(boxes[sharesBoxes ? i : i * numClasses + label])
        values.append(score * (scoreFactors?[i] ?? 1))
        labels.append(label)
      }
    }
    let kept = batchedNMS(
      candidates, scores: values, groups: labels, configuration: configuration,
      limit: maxPerImg > 0 ? maxPerImg : .max)
    return kept.map { Detection(box: candidates[$0.index], score: $0.score, label: labels[$0.index]) }
  }
}
