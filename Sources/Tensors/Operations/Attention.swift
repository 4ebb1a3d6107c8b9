import Kernels
import Primitives

extension Tensor {
  /// `softmax(queries · keysᵀ) · values` over all cells of each map, of `[N, H, W, C]`, `[N, H, W, C]` and `[N, H, W, V]`
  /// (Wang et al., "Non-local neural networks", section 3.2).
  ///
  /// - Returns: `[N, H, W, V]`.
  public static func attention(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor {
    require(
      queries.shape.count == 4 && keys.shape == queries.shape && values.shape.dropLast() == keys.shape.dropLast(),
      "queries \(queries.shape), keys \(keys.shape) and values \(values.shape)")
    let (engine, workers, size) = (queries.engine, queries.engine.workers, queries.mapSize)
    let shape = Attention.Shape(
      batch: size.images, positions: size.pixels, width: size.channels, valueWidth: values.shape[3])
    let inputs = [queries, keys, values]
    let y = Tensor(values.shape, on: engine, needsGradient: inputs.contains { $0.needsGradient })
    let normalizers = Tensor([2, size.images, size.pixels], on: engine)
    Attention.forward(
      .init(queries: queries.values, keys: keys.values, values: values.values), into: y.values,
      normalizers: normalizers.values, shape, workers)
    guard y.needsGradient, let tape = engine.tape else { return y }
    require(inputs.allSatisfy(\.needsGradient), "attention of which a part needs no gradient")
    let (dy, slots) = (y.gradientSlot, inputs.map(\.gradientSlot))
    tape.record(y, reading: queries, keys, values, normalizers) { queries, keys, values, normalizers in
      let slopes = engine.pool.buffer(size.images * size.pixels)
      Attention.backward(
        dy.values, .init(queries: queries, keys: keys, values: values), normalizers: normalizers,
        slopes: slopes.values,
        addingTo: .init(queries: slots[0].toAddTo(), keys: slots[1].toAddTo(), values: slots[2].toAddTo()), shape,
        workers)
    }
    return y
  }
}
