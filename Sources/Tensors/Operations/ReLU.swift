import Kernels

extension Tensor {
  /// `max(x, 0)`.
  public func relu() -> Tensor {
    let y = Tensor(shape, on: engine, needsGradient: needsGradient)
    let workers = engine.workers
    Activation.relu(values, into: y.values, count: count, workers)
    guard y.needsGradient, let tape = engine.tape else { return y }
    let target = gradientSlot
    tape.record(y) {
      let (dx, isFresh) = target.target()
      Activation.backward(
        y.gradientSlot.values, maskedBy: y.values, into: dx, isFresh: isFresh, count: target.count, workers)
    }
    return y
  }
}
