import Kernels

extension Tensor {
  /// This map `[N, H, W, C]` plus `top`, `[N, h, w, C]`, enlarged to H × W by nearest neighbour: the top-down path of
  /// a feature pyramid (Lin et al. 2017, section 3).
  public func addingUpsampled(_ top: Tensor) -> Tensor {
    precondition(
      shape.count == 4 && top.shape.count == 4 && shape[0] == top.shape[0] && shape[3] == top.shape[3],
      "\(top.shape) can't be enlarged to \(shape)")
    let sizes = Upsample.Shape(
      batch: shape[0], channels: shape[3], height: shape[1], width: shape[2], topHeight: top.shape[1],
      topWidth: top.shape[2])
    let y = Tensor(shape, on: engine, needsGradient: needsGradient || top.needsGradient)
    let workers = engine.workers
    Upsample.add(values, top.values, into: y.values, sizes, workers)
    guard y.needsGradient, let tape = engine.tape else { return y }
    tape.record(y) { [self] in
      if needsGradient {
        let (dx, isFresh) = gradientTarget()
        Activation.backward(y.gradient, maskedBy: nil, into: dx, isFresh: isFresh, count: count, workers)
      }
      if top.needsGradient { Upsample.backward(y.gradient, addingTo: top.gradientToAddTo(), sizes, workers) }
    }
    return y
  }
}
