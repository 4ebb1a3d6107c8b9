import Primitives
import Tensors

/// How many rows have their label's score on top, as mmdetection's `accuracy` with `topk` 1 counts them; of equal scores
/// the first is on top.
/// - Parameters:
///   - scores: `[rows, classes]`.
///   - labels: 0 ..< classes, one for each row.
public func correctCount(of scores: Tensor, labels: [Int]) -> Int {
  let classes = scores.shape[1]
  require(scores.shape[0] == labels.count, "\(labels.count) labels for scores of shape \(scores.shape)")
  return labels.enumerated().count { row, label in
    let values = scores.values + row * classes
    return (0..<classes).allSatisfy { values[$0] < values[label] || (values[$0] == values[label] && $0 >= label) }
  }
}
