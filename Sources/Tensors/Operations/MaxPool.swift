import Kernels
import Primitives

extension Tensor {
  /// The maximum over windows of a map `[N, H, W, C]`; cells of the padding don't count.
  ///
  /// - Returns: `[N, (H + 2·padding − kernel)/stride + 1, …, C]`.
  public func maxPool(kernel: Int, stride: Int, padding: Int) -> Tensor {
    require(shape.count == 4 && 2 * padding <= kernel, "can't pool \(shape) with padding \(padding)")
    return maxPool(
      PoolWindows(
        batch: shape[0], height: shape[1], width: shape[2], channels: shape[3], kernel: kernel, stride: stride,
        padding: padding))
  }

  /// The maximum over as many windows of a map `[N, H, W, C]` as are wanted, torch's `adaptive_max_pool2d`: output cell i of
  /// an axis sees the cells from ⌊i · H / height⌋ to below ⌈(i + 1) · H / height⌉.
  ///
  /// - Returns: `[N, height, width, C]`.
  public func adaptiveMaxPool(height: Int, width: Int) -> Tensor {
    require(shape.count == 4, "can't pool \(shape)")
    return maxPool(
      PoolWindows(
        batch: shape[0], height: shape[1], width: shape[2], channels: shape[3], outHeight: height, outWidth: width))
  }

  private func maxPool(_ windows: PoolWindows) -> Tensor {
    require(
      !windows.rows.isEmpty && !windows.columns.isEmpty && shape[1] > 0 && shape[2] > 0,
      "the map \(shape) is smaller than a window")
    let y = Tensor(
      [shape[0], windows.rows.count, windows.columns.count, shape[3]], on: engine, needsGradient: needsGradient)
    let workers = engine.workers
    MaxPool.forward(values, into: y.values, windows, workers)
    guard y.needsGradient, let tape = engine.tape else { return y }
    let (dy, target) = (y.gradientSlot, gradientSlot)
    tape.record(y, reading: self, y) { x, maximum in
      MaxPool.backward(dy.values, x, maximum, addingTo: target.toAddTo(), windows, workers)
    }
    return y
  }
}
