import Kernels

extension Tensor {
  /// `weights[i] · loss(boxes[i], targets[i])`, `[rows · loss.parts]`; boxes and targets are `[rows, 4]`.
  public static func boxLosses(
    _ loss: BoxLoss, of boxes: Tensor, targets: [Float], weights: [Float], eps: Float
  ) -> Tensor {
    precondition(
      boxes.count == targets.count && weights.count * 4 == targets.count * loss.parts,
      "boxes of shape \(boxes.shape), \(targets.count / 4) targets and \(weights.count) weights")
    let eps = Double(eps)
    let output = Tensor([weights.count], on: boxes.engine, needsGradient: boxes.needsGradient)
    loss.forward(boxes.values, targets: targets, weights: weights, eps: eps, into: output.values)

    guard output.needsGradient else { return output }
    let dy = output.gradientSlot
    boxes.engine.tape?.record(output) {
      loss.backward(
        dy.values, boxes.values, targets: targets, weights: weights, eps: eps, into: boxes.gradientSlot.toAddTo())
    }
    return output
  }
}
