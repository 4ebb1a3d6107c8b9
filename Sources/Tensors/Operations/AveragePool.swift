import Kernels

extension Tensor {
  /// The mean over the pixels of each map `[N, H, W, C]`: `[N, C]`; N may be 0.
  public func averagePool() -> Tensor {
    let (size, workers) = (mapSize, engine.workers)
    let y = Tensor([size.images, size.channels], on: engine, needsGradient: needsGradient)
    AveragePool.forward(values, into: y.values, size, workers)
    guard y.needsGradient, let tape = engine.tape else { return y }
    let (dy, target) = (y.gradientSlot, gradientSlot)
    tape.record(y) { AveragePool.backward(dy.values, addingTo: target.toAddTo(), size, workers) }
    return y
  }

  /// A map `[N, H, W, C]` as rows `[N, H · W · C]` of the same values and gradient.
  public func flattened() -> Tensor { reshaped([shape[0], shape.dropFirst().reduce(1, *)]) }
}
