import Kernels
import Primitives

extension Tensor {
  /// A map `[N, h, w, C]` at another size, `[N, height, width, C]`, as torch's `interpolate`.
  public func resized(height: Int, width: Int, _ resizing: MapResizing) -> Tensor {
    require(shape.count == 4 && height > 0 && width > 0, "\(shape) can't be resized to \(height) × \(width)")
    let sizes = Upsample.Shape(
      batch: shape[0], channels: shape[3], height: height, width: width, topHeight: shape[1], topWidth: shape[2])
    let y = Tensor([shape[0], height, width, shape[3]], on: engine, needsGradient: needsGradient)
    let workers = engine.workers
    switch resizing {
    case .nearest:
      workers.clear(y.values, count: y.count)
      Upsample.add(values, to: y.values, sizes, workers)
    case .bilinear(let alignCorners):
      Bilinear.forward(values, into: y.values, sizes, alignCorners: alignCorners, workers)
    }
    guard y.needsGradient, let tape = engine.tape else { return y }
    let (dy, target) = (y.gradientSlot, gradientSlot)
    tape.record(y) {
      switch resizing {
      case .nearest: Upsample.backward(dy.values, addingTo: target.toAddTo(), sizes, workers)
      case .bilinear(let alignCorners):
        Bilinear.backward(dy.values, addingTo: target.toAddTo(), sizes, alignCorners: alignCorners, workers)
      }
    }
    return y
  }
}
