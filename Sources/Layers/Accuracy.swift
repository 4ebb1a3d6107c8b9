import Tensors

/// mmdetection's `accuracy`: for each k of `topK` the percentage of rows whose label is among the k highest scores.
/// 0 without rows.
/// - Parameters:
///   - scores: `[rows, classes]`.
///   - threshold: if given, the label's score must also be above it.
public func accuracy(of scores: Tensor, labels: [Int], topK: [Int] = [1], threshold: Float? = nil) -> [Float] {
  let classes = scores.shape[1]
  precondition(scores.shape[0] == labels.count, "\(labels.count) labels for scores of shape \(scores.shape)")
  precondition(topK.allSatisfy { $0 <= classes }, "the top \(topK) of \(classes) classes")
  guard !labels.isEmpty else { return topK.map { _ in 0 } }
  let ranks = labels.enumerated().map { row, label in
    rank(of: label, classes: classes, threshold: threshold) { scores.values[row * classes + $0] }
  }
  return topK.map { k in Float(ranks.count { $0 < k }) * 100 / Float(labels.count) }
}

/// How many classes come before `label`; the number of classes if its score is not above the threshold.
private func rank(of label: Int, classes: Int, threshold: Float?, _ score: (Int) -> Float) -> Int {
  let own = score(label)
  if let threshold, !(own > threshold) { return classes }
  return (0..<classes).count { score($0) > own || (score($0) == own && $0 < label) }
}
