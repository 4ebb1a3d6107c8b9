import Kernels

extension Tensor {
  /// `max(x, 0)`.
  public func relu() -> Tensor {
    let y = Tensor(shape, on: engine, needsGradient: needsGradient)
    let workers = engine.workers
    Activation.relu(values, into: y.values, count: count, workers)
    guard y.needsGradient, let tape = engine.tape else { return y }
    tape.record(y) { [self] in
      let (dx, isFresh) = gradientTarget()
      Activation.backward(y.gradient, maskedBy: y.values, into: dx, isFresh: isFresh, count: count, workers)
    }
    return y
  }
}
