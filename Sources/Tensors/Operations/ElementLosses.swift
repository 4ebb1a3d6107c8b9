import Kernels
import Primitives

// Losses of chosen elements of a prediction of any shape. The rest of the prediction isn't looked at; its gradient is
// zero. Without any element the loss is 0 and the gradient is there all the same.

extension Tensor {
  /// `weights[i] · loss(prediction[elements[i]], targets[i])`, `[elements]`; see `ElementLoss` for the formulas.
  /// - Parameters:
  ///   - loss: the formula.
  ///   - prediction: any shape.
  ///   - elements: flat indices; nil: every element.
  ///   - targets: one for each of them.
  ///   - weights: one for each of them.
  public static func elementLosses(
    _ loss: ElementLoss, of prediction: Tensor, elements: [Int32]? = nil, targets: [Float], weights: [Float]
  ) -> Tensor {
    let elements = elements ?? Array(0..<Int32(prediction.count))
    require(
      elements.count == targets.count && elements.count == weights.count,
      "\(elements.count) elements, \(targets.count) targets and \(weights.count) weights")
    require(
      elements.allSatisfy { 0..<prediction.count ~= Int($0) }, "an element lies outside of \(prediction.shape)")
    let output = Tensor([elements.count], on: prediction.engine, needsGradient: prediction.needsGradient)
    loss.forward(prediction.values, elements: elements, targets: targets, weights: weights, into: output.values)

    guard output.needsGradient else { return output }
    let (dy, target) = (output.gradientSlot, prediction.gradientSlot)
    prediction.engine.tape?.record(output, reading: prediction) { values in
      loss.backward(
        dy.values, values, elements: elements, targets: targets, weights: weights,
        into: target.toAddTo())
    }
    return output
  }

  /// `weights[i] · loss(boxes[i], targets[i])`, `[rows · loss.parts]`; boxes and targets are `[rows, 4]`.
  public static func boxLosses(
    _ loss: BoxLoss, of boxes: Tensor, targets: [Float], weights: [Float], eps: Float
  ) -> Tensor {
    require(
      boxes.count == targets.count && weights.count * 4 == targets.count * loss.parts,
      "boxes of shape \(boxes.shape), \(targets.count / 4) targets and \(weights.count) weights")
    let eps = Double(eps)
    let output = Tensor([weights.count], on: boxes.engine, needsGradient: boxes.needsGradient)
    loss.forward(boxes.values, targets: targets, weights: weights, eps: eps, into: output.values)

    guard output.needsGradient else { return output }
    let (dy, target) = (output.gradientSlot, boxes.gradientSlot)
    boxes.engine.tape?.record(output, reading: boxes) { values in
      loss.backward(
        dy.values, values, targets: targets, weights: weights, eps: eps, into: target.toAddTo())
    }
    return output
  }
}
