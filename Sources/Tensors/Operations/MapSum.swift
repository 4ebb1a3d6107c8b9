import Kernels
import Primitives

extension Tensor {
  /// `scale · Σ maps`, of their common shape.
  public static func sum(ofMaps maps: [Tensor], scale: Float = 1) -> Tensor {
    require(
      !maps.isEmpty && maps.allSatisfy { $0.shape == maps[0].shape },
      "maps of the shapes \(maps.map(\.shape)) can't be added up")
    let (engine, workers) = (maps[0].engine, maps[0].engine.workers)
    let y = Tensor(maps[0].shape, on: engine, needsGradient: maps.contains { $0.needsGradient })
    MapSum.forward(maps.map(\.values), scale: scale, into: y.values, count: y.count, workers)
    guard y.needsGradient, let tape = engine.tape else { return y }
    let (dy, targets) = (y.gradientSlot, maps.filter(\.needsGradient).map(\.gradientSlot))
    tape.record(y) {
      for target in targets {
        let (dx, isFresh) = target.target()
        MapSum.backward(dy.values, scale: scale, into: dx, isFresh: isFresh, count: dy.count, workers)
      }
    }
    return y
  }

  /// Maps `[N, H, W, Cᵢ]` side by side: `[N, H, W, Σ Cᵢ]`.
  public static func concatenated(_ maps: [Tensor]) -> Tensor {
    require(
      !maps.isEmpty && maps.allSatisfy { $0.shape.dropLast() == maps[0].shape.dropLast() },
      "maps of the shapes \(maps.map(\.shape)) can't stand side by side")
    let (engine, workers) = (maps[0].engine, maps[0].engine.workers)
    let channels = maps.map { $0.shape[$0.shape.count - 1] }
    let width = channels.reduce(0, +)
    let pixels = maps[0].shape.dropLast().reduce(1, *)
    let y = Tensor(
      maps[0].shape.dropLast() + [width], on: engine, needsGradient: maps.contains { $0.needsGradient })
    var columns: [Range<Int>] = []
    for count in channels { columns.append((columns.last?.upperBound ?? 0)..<(columns.last?.upperBound ?? 0) + count) }
    for (map, columns) in zip(maps, columns) {
      MapSum.copy(map.values, toColumns: columns, of: y.values, width: width, pixels: pixels, workers)
    }
    guard y.needsGradient, let tape = engine.tape else { return y }
    let (dy, targets) = (y.gradientSlot, maps.map { $0.needsGradient ? $0.gradientSlot : nil })
    tape.record(y) {
      for case (let target?, let columns) in zip(targets, columns) {
        MapSum.add(columns: columns, of: dy.values, width: width, to: target.toAddTo(), pixels: pixels, workers)
      }
    }
    return y
  }
}
