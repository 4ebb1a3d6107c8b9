import Kernels
import Primitives

extension Tensor {
  /// Adds `top`, `[N, h, w, C]`, enlarged to H × W by nearest neighbour, to this map `[N, H, W, C]` in place: the
  /// top-down path of a feature pyramid (Lin et al. 2017, section 3). No backward pass may read the values as they were, so
  /// that the sum's gradient is this map's own.
  public func addUpsampled(_ top: Tensor) {
    require(
      shape.count == 4 && top.shape.count == 4 && shape[0] == top.shape[0] && shape[3] == top.shape[3],
      "\(top.shape) can't be enlarged to \(shape)")
    require(needsGradient || !top.needsGradient, "a map without gradient can't take a sum that needs one")
    require(!isToBeRead, "a sum goes into a map \(shape) whose values a backward pass is yet to read")
    let sizes = Upsample.Shape(
      batch: shape[0], channels: shape[3], height: shape[1], width: shape[2], topHeight: top.shape[1],
      topWidth: top.shape[2])
    let workers = engine.workers
    Upsample.add(top.values, to: values, sizes, workers)
    guard top.needsGradient, let tape = engine.tape else { return }
    let (sum, target) = (gradientSlot, top.gradientSlot)
    tape.record(self) { Upsample.backward(sum.values, addingTo: target.toAddTo(), sizes, workers) }
  }
}
