import Kernels
import Primitives

extension Tensor {
  /// The maximum over windows of a map `[N, H, W, C]`; cells of the padding don't count.
  ///
  /// - Returns: `[N, (H + 2·padding − kernel)/stride + 1, …, C]`.
  public func maxPool(kernel: Int, stride: Int, padding: Int) -> Tensor {
    require(shape.count == 4 && 2 * padding <= kernel, "can't pool \(shape) with padding \(padding)")
    let sizes = ConvolutionShape(
      batch: shape[0], height: shape[1], width: shape[2], inChannels: shape[3], outChannels: shape[3],
      kernelHeight: kernel, kernelWidth: kernel, stride: stride, padding: padding)
    require(sizes.outHeight > 0 && sizes.outWidth > 0, "the map \(shape) is smaller than the window \(kernel)")
    let y = Tensor(
      [shape[0], sizes.outHeight, sizes.outWidth, shape[3]], on: engine, needsGradient: needsGradient)
    let workers = engine.workers
    MaxPool.forward(values, into: y.values, sizes, workers)
    guard y.needsGradient, let tape = engine.tape else { return y }
    let (dy, target) = (y.gradientSlot, gradientSlot)
    tape.record(y, reading: self, y) { x, maximum in
      MaxPool.backward(dy.values, x, maximum, addingTo: target.toAddTo(), sizes, workers)
    }
    return y
  }
}
