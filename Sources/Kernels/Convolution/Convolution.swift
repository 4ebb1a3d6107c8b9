/// Convolution on maps `[batch, height, width, channels]` with weights `[out, kernelHeight, kernelWidth, in]`:
///
///     y[n, i, j, o]  = Σ_rsc x[n, i·stride + r − padding, j·stride + s − padding, c] · w[o, r, s, c], then the epilogue
///     dx[n, h, w, c] = Σ_rso dy[n, (h + padding − r)/stride, (w + padding − s)/stride, o] · w[o, r, s, c]
///     dw[o, r, s, c] = Σ_nij dy[n, i, j, o] · x[n, i·stride + r − padding, j·stride + s − padding, c]
///
/// each as products of blocks of a column matrix (`Windows`) with the weights or with dy, or, where the shape allows it, by
/// `WinogradConvolution`. An image's y and dx have the same bits whatever other images are in the batch.
public enum Convolution {
  /// Whether the shape is one for Winograd's algorithm.
  package static func usesWinograd(_ shape: ConvolutionShape) -> Bool { WinogradConvolution(shape) != nil }

  /// Writes `y`, `[batch, outHeight, outWidth, out]`.
  public static func forward(
    _ x: Floats, _ weight: Floats, _ epilogue: ConvolutionEpilogue, into y: Floats, _ shape: ConvolutionShape,
    _ workers: Workers
  ) {
    if let winograd = WinogradConvolution(shape) { return winograd.forward(x, weight, epilogue, into: y, workers) }
    let windows = shape.windows
    let (depth, outChannels) = (windows.depth, shape.outChannels)
    let blocks = ProductBlocks(
      rows: windows.count, columns: outChannels, rowLimit: windows.isMap ? 512 : windows.blockLimit)
    let part = windows.isMap ? PackedMatrix.part(of: depth, beside: outChannels) : depth
    for start in stride(from: 0, to: depth, by: part) {
      let steps = start..<min(depth, start + part)
      let packed = PackedMatrix(
        transposing: weight + start, stride: depth, steps: steps.count, columns: outChannels,
        in: workers.shared.floats(PackedMatrix.count(steps: part, columns: outChannels)), workers)
      workers.run(jobs: blocks.count) { job, scratch in
        let (rows, columns) = blocks[job]
        let matrix = windows.matrix(rows, of: x, in: scratch.floats(windows.bufferCount(rows.count)))
        packed.multiply(
          matrix + start, stride: depth, rows: rows.count, columns: columns,
          into: y + rows.lowerBound * outChannels, stride: outChannels, adds: start > 0)
        guard steps.upperBound == depth else { return }
        epilogue.apply(
          to: y, firstRow: rows.lowerBound, rows: rows.count, firstColumn: columns.lowerBound,
          columns: columns.count, stride: outChannels)
      }
    }
  }

  /// Writes `dx` as a whole when it is fresh, else adds to it.
  public static func backwardInput(
    _ dy: Floats, _ weight: Floats, into dx: Floats, isFresh: Bool, _ shape: ConvolutionShape, _ workers: Workers
  ) {
    if let winograd = WinogradConvolution(shape) {
      return winograd.backwardInput(dy, weight, into: dx, isFresh: isFresh, workers)
    }
    if shape.stride > 1, isFresh {
      workers.clear(dx, count: shape.batch * shape.height * shape.width * shape.inChannels)
    }
    for phaseRow in 0..<shape.stride {
      for phaseColumn in 0..<shape.stride {
        guard let phase = InputPhase(row: phaseRow, column: phaseColumn, of: shape) else { continue }
        phase.run(dy, weight, into: dx, isFresh: isFresh && shape.stride == 1, workers)
      }
    }
  }

  /// Adds to `dw`, `[out, kernelHeight, kernelWidth, in]`.
  public static func backwardWeight(
    _ x: Floats, _ dy: Floats, addingTo dw: Floats, _ shape: ConvolutionShape, _ workers: Workers
  ) {
    if let winograd = WinogradConvolution(shape) {
      return winograd.backwardWeight(x, dy, addingTo: dw, workers)
    }
    guard shape.outPixels > 0 else { return }
    if shape.weightCount <= 1 << 16 {
      sumOverChunks(x, dy, addingTo: dw, shape, workers)
    } else {
      sumByParts(x, dy, addingTo: dw, shape, workers)
    }
  }

  /// Few weights, many pixels: each job sums over its pixels, then the sums are added in order.
  private static func sumOverChunks(
    _ x: Floats, _ dy: Floats, addingTo dw: Floats, _ shape: ConvolutionShape, _ workers: Workers
  ) {
    let windows = shape.windows
    let (depth, outChannels, count) = (windows.depth, shape.outChannels, shape.weightCount)
    let chunk = max(256, (windows.count + 15) / 16)
    let chunks = (windows.count + chunk - 1) / chunk
    let partial = workers.shared.floats(chunks * count)
    workers.run(jobs: chunks) { job, scratch in
      let limit = windows.isMap ? chunk : windows.blockLimit
      let buffer = scratch.floats(windows.bufferCount(limit))
      let (start, end) = (job * chunk, min(windows.count, (job + 1) * chunk))
      for row in stride(from: start, to: end, by: limit) {
        let rows = row..<min(end, row + limit)
        MatrixMultiply.multiply(
          m: outChannels, n: depth, k: rows.count, dy + row * outChannels, transposed: true, stride: outChannels,
          windows.matrix(rows, of: x, in: buffer), stride: depth, beta: row == start ? 0 : 1,
          into: partial + job * count, stride: depth)
      }
    }
    workers.run(over: count, grain: 4096) { range in
      for chunk in 0..<chunks {
        let sums = partial + chunk * count
        for i in range { dw[i] += sums[i] }
      }
    }
  }

  /// Many weights: each job sums its part of them over all pixels.
  private static func sumByParts(
    _ x: Floats, _ dy: Floats, addingTo dw: Floats, _ shape: ConvolutionShape, _ workers: Workers
  ) {
    let windows = shape.windows
    let (depth, outChannels) = (windows.depth, shape.outChannels)
    let limit = windows.isMap ? windows.count : windows.blockLimit
    let buffer = workers.shared.floats(windows.bufferCount(limit))
    let blocks = ProductBlocks(rows: outChannels, columns: depth)
    for row in stride(from: 0, to: windows.count, by: limit) {
      let rows = row..<min(windows.count, row + limit)
      if !windows.isMap {
        workers.run(over: rows.count, grain: 32) { range in
          let part = row + range.lowerBound..<row + range.upperBound
          _ = windows.matrix(part, of: x, in: buffer + range.lowerBound * depth)
        }
      }
      let matrix = windows.isMap ? x : buffer
      workers.run(jobs: blocks.count) { job, _ in
        let (outputs, columns) = blocks[job]
        MatrixMultiply.multiply(
          m: outputs.count, n: columns.count, k: rows.count,
          dy + row * outChannels + outputs.lowerBound, transposed: true, stride: outChannels,
          matrix + columns.lowerBound, stride: depth, beta: 1,
          into: dw + outputs.lowerBound * depth + columns.lowerBound, stride: depth)
      }
    }
  }
}
