import Kernels
import Primitives

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

  /// The mean over squares of `cells` × `cells` of each map `[N, H, W, C]`, which are smaller at the right and the lower
  /// border (torch's `AvgPool2d` with as much stride, `ceil_mode`, and no count of the padding).
  ///
  /// - Returns: `[N, ⌈H / cells⌉, ⌈W / cells⌉, C]`; the map itself for one cell.
  public func averagePool(cells: Int) -> Tensor {
    guard cells > 1 else { return self }
    require(shape.count == 4, "can't pool \(shape)")
    let squares = PooledSquares(
      images: shape[0], height: shape[1], width: shape[2], channels: shape[3], side: cells)
    let (y, workers) = (
      Tensor([shape[0], squares.rows, squares.columns, shape[3]], on: engine, needsGradient: needsGradient),
      engine.workers
    )
    AveragePool.forward(values, into: y.values, squares, workers)
    guard y.needsGradient, let tape = engine.tape else { return y }
    let (dy, target) = (y.gradientSlot, gradientSlot)
    tape.record(y) { AveragePool.backward(dy.values, addingTo: target.toAddTo(), squares, workers) }
    return y
  }

  /// A map `[N, H, W, C]` as rows `[N, H · W · C]` of the same values and gradient.
  public func flattened() -> Tensor { reshaped([shape[0], shape.dropFirst().reduce(1, *)]) }
}
