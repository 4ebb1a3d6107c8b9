import Kernels

// Losses of chosen elements of a prediction of any shape. The rest of the prediction isn't looked at; its gradient is
// zero. Without any element the loss is 0 and the gradient is there all the same.

extension Tensor {
  /// `weights[i] · loss(prediction[elements[i]], targets[i])`, `[elements]`; see `ElementLoss` for the formulas.
  /// - Parameter elements: flat indices; nil: every element.
  public static func elementLosses(
    _ loss: ElementLoss, of prediction: Tensor, elements: [Int32]? = nil, targets: [Float], weights: [Float]
  ) -> Tensor {
    let elements = elements ?? Array(0..<Int32(prediction.count))
    precondition(
      elements.count == targets.count && elements.count == weights.count,
      "\(elements.count) elements, \(targets.count) targets and \(weights.count) weights")
    precondition(
      elements.allSatisfy { 0..<prediction.count ~= Int($0) }, "an element lies outside of \(prediction.shape)")
    let output = Tensor([elements.count], on: prediction.engine, needsGradient: prediction.needsGradient)
    loss.forward(prediction.values, elements: elements, targets: targets, weights: weights, into: output.values)

    guard output.needsGradient else { return output }
    let dy = output.gradientSlot
    prediction.engine.tape?.record(output) {
      loss.backward(
        dy.values, prediction.values, elements: elements, targets: targets, weights: weights,
        into: prediction.gradientSlot.toAddTo())
    }
    return output
  }

  /// `scale · Σ weight · BCE(σ(logit), target)`, a scalar.
  /// - Parameter positiveWeight: for each channel, a factor on the part of the loss that belongs to target 1.
  public static func sigmoidCrossEntropy(
    logits: Tensor, elements: [Int32]? = nil, targets: [Float], weights: [Float], positiveWeight: [Float]? = nil,
    scale: Float
  ) -> Tensor {
    elementLosses(
      .sigmoidCrossEntropy(positiveWeights: positiveWeight), of: logits, elements: elements, targets: targets,
      weights: weights
    ).sum(scale: scale)
  }

  /// `scale · Σ weight · |prediction - target|`, a scalar.
  public static func l1Loss(
    prediction: Tensor, elements: [Int32]? = nil, targets: [Float], weights: [Float], scale: Float
  ) -> Tensor {
    elementLosses(.l1, of: prediction, elements: elements, targets: targets, weights: weights).sum(scale: scale)
  }

  /// `scale · Σ weight · smoothL1(prediction - target)`, a scalar; quadratic below `beta`.
  public static func smoothL1Loss(
    prediction: Tensor, elements: [Int32]? = nil, targets: [Float], weights: [Float], beta: Float, scale: Float
  ) -> Tensor {
    elementLosses(
      .smoothL1(beta: beta), of: prediction, elements: elements, targets: targets, weights: weights
    ).sum(scale: scale)
  }
}
