import Kernels
import Primitives

extension Tensor {
  /// A convolution of stride 1 with the same weights over several maps `[N, H, W, in]`, at some cells alone: for a
  /// loss that looks at few of them, the backward pass through the whole maps would be almost all zeros.
  ///
  /// Every map gets a gradient, of zeros where nothing flowed back.
  /// - Parameters:
  ///   - maps: at least one, `[N, H, W, in]` each.
  ///   - cells: for each map, the numbers of the pixels `[N, outHeight, outWidth]`.
  ///   - weight: `[out, in, kernelHeight, kernelWidth]`.
  ///   - bias: `[out]`.
  ///   - padding: zeros on each side.
  ///   - relu: whether the output is cut at zero.
  /// - Returns: `[cells of all maps, out]`.
  public static func convolution(
    of maps: [Tensor], at cells: [[Int32]], _ weight: Parameter, bias: Parameter, padding: Int, relu: Bool
  ) -> Tensor {
    require(maps.count == cells.count, "\(maps.count) maps but cells of \(cells.count)")
    let geometry = ConvolutionGeometry(padding: padding)
    let shapes = maps.map { $0.convolutionShape(ConvolutionWeight(weight), geometry) }
    let depth = shapes[0].weightCount / shapes[0].outChannels
    let count = cells.reduce(0) { $0 + $1.count }
    let (engine, workers) = (maps[0].engine, maps[0].engine.workers)
    let rows = Tensor([count, depth], on: engine, needsGradient: maps.contains { $0.needsGradient })
    var start = 0
    for (i, map) in maps.enumerated() {
      CellWindows.gather(cells[i], of: map.values, into: rows.values + start * depth, shapes[i], workers)
      start += cells[i].count
    }
    if rows.needsGradient, let tape = engine.tape {
      let (drows, targets) = (rows.gradientSlot, maps.map { $0.needsGradient ? $0.gradientSlot : nil })
      tape.record(rows) {
        var start = 0
        for (i, target) in targets.enumerated() {
          if let target {
            CellWindows.scatter(
              drows.values + start * depth, cells[i], addingTo: target.toAddTo(), shapes[i], workers)
          }
          start += cells[i].count
        }
      }
    }
    return rows.linear(windows: weight, bias: bias, relu: relu)
  }
}
