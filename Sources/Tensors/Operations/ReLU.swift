import Kernels

extension Tensor {
  /// `max(x, 0)`, of the same shape.
  public func relu() -> Tensor {
    let y = Tensor(shape, on: engine, needsGradient: needsGradient)
    let workers = engine.workers
    Activation.relu(values, into: y.values, count: count, workers)
    guard y.needsGradient, let tape = engine.tape else { return y }
    let (dy, target) = (y.gradientSlot, gradientSlot)
    tape.record(y, reading: y) { mask in
      let (dx, isFresh) = target.target()
      Activation.backward(dy.values, maskedBy: mask, into: dx, isFresh: isFresh, count: target.count, workers)
    }
    return y
  }
}
