import Kernels
import Primitives

extension Tensor {
  /// `weights[i] · classWeight[labels[i]] · -log softmax(logits[rows[i]])[labels[i]]`, `[rows]`.
  /// - Parameters:
  ///   - logits: any shape; its last axis are the classes, and its rows are counted over all other axes.
  ///   - rows: nil: every row.
  ///   - labels: the class of each row, below the number of classes.
  ///   - weights: one for each row.
  ///   - classWeight: one for each class; nil: 1.
  public static func softmaxCrossEntropies(
    logits: Tensor, rows: [Int32]? = nil, labels: [Int32], weights: [Float], classWeight: [Float]? = nil
  ) -> Tensor {
    let classes = logits.shape.last ?? 1
    let rowCount = logits.shape.dropLast().reduce(1, *)
    let rows = rows ?? Array(0..<Int32(rowCount))
    require(
      rows.count == labels.count && rows.count == weights.count,
      "\(rows.count) rows, \(labels.count) labels and \(weights.count) weights")
    require(rows.allSatisfy { 0..<rowCount ~= Int($0) }, "a row lies outside of \(logits.shape)")
    require(labels.allSatisfy { 0..<classes ~= Int($0) }, "a label lies outside of \(classes) classes")
    let weights = classWeight.map { factors in zip(labels, weights).map { factors[Int($0)] * $1 } } ?? weights
    let output = Tensor([rows.count], on: logits.engine, needsGradient: logits.needsGradient)
    SoftmaxCrossEntropy.forward(
      logits.values, classes: classes, rows: rows, labels: labels, weights: weights, into: output.values)

    guard output.needsGradient else { return output }
    let (dy, target) = (output.gradientSlot, logits.gradientSlot)
    logits.engine.tape?.record(output, reading: logits) { values in
      SoftmaxCrossEntropy.backward(
        dy.values, values, classes: classes, rows: rows, labels: labels, weights: weights,
        into: target.toAddTo())
    }
    return output
  }
}
