/// Convolution on maps `[batch, height, width, channels]` with weights `[out, kernelHeight, kernelWidth, in / groups]`:
///
///     y[n, i, j, o]  = Σ_rsc x[n, i·stride + r·dilation − padding, j·stride + s·dilation − padding, c] · w[o, r, s, c],
///                      then the epilogue
///     dx[n, h, w, c] = Σ_rso dy[n, (h + padding − r·dilation)/stride, (w + padding − s·dilation)/stride, o] · w[o, r, s, c]
///     dw[o, r, s, c] = Σ_nij dy[n, i, j, o] · x[n, i·stride + r·dilation − padding, j·stride + s·dilation − padding, c]
///
/// for each group of channels, as products of blocks of a column matrix (`Windows`) with the weights or with dy, or, where
/// the shape allows it, by `WinogradConvolution` or, many groups at a time, by `GroupedConvolution`. An image's y and dx
/// have the same bits whatever other images are in the batch.
public enum Convolution {
  /// Whether the shape is one for Winograd's algorithm.
  package static func usesWinograd(_ shape: ConvolutionShape) -> Bool {
    WinogradConvolution(shape) != nil || GroupedConvolution(shape)?.usesWinograd == true
  }

  /// Writes `y`, `[batch, outHeight, outWidth, out]`.
  public static func forward(
    _ x: Floats, _ weight: Floats, _ epilogue: ConvolutionEpilogue, into y: Floats, _ shape: ConvolutionShape,
    _ workers: Workers
  ) {
    if let winograd = WinogradConvolution(shape) { return winograd.forward(x, weight, epilogue, into: y, workers) }
    if let grouped = GroupedConvolution(shape) { return grouped.forward(x, weight, epilogue, into: y, workers) }
    for group in 0..<shape.groups { forward(group: group, x, weight, epilogue, into: y, shape, workers) }
  }

  private static func forward(
    group: Int, _ x: Floats, _ weight: Floats, _ epilogue: ConvolutionEpilogue, into y: Floats,
    _ shape: ConvolutionShape, _ workers: Workers
  ) {
    let windows = shape.windows(group: group)
    let (depth, outChannels, first) = (windows.depth, shape.groupOutChannels, group * shape.groupOutChannels)
    let blocks = ProductBlocks(
      rows: windows.count, columns: outChannels, rowLimit: windows.isMap ? 512 : windows.blockLimit)
    let part = windows.isMap ? PackedMatrix.part(of: depth, beside: outChannels) : depth
    for start in stride(from: 0, to: depth, by: part) {
      let steps = start..<min(depth, start + part)
      let packed = PackedMatrix(
        transposing: weight + first * depth + start, stride: depth, steps: steps.count, columns: outChannels,
        in: workers.shared.floats(PackedMatrix.count(steps: part, columns: outChannels)), workers)
      workers.run(jobs: blocks.count) { job, scratch in
        let (rows, columns) = blocks[job]
        let matrix = windows.matrix(rows, of: x, in: scratch.floats(windows.bufferCount(rows.count)))
        packed.multiply(
          matrix + start, stride: depth, rows: rows.count, columns: columns,
          into: y + rows.lowerBound * shape.outChannels + first, stride: shape.outChannels, adds: start > 0)
        guard steps.upperBound == depth else { return }
        epilogue.apply(
          to: y, firstRow: rows.lowerBound, rows: rows.count, firstColumn: first + columns.lowerBound,
          columns: columns.count, stride: shape.outChannels)
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
    if let grouped = GroupedConvolution(shape) {
      return grouped.backwardInput(dy, weight, into: dx, isFresh: isFresh, workers)
    }
    if shape.stride > 1, isFresh {
      workers.clear(dx, count: shape.batch * shape.height * shape.width * shape.inChannels)
    }
    for group in 0..<shape.groups {
      for phase in InputPhase.all(of: shape, group: group) {
        phase.run(dy, weight, into: dx, isFresh: isFresh && shape.stride == 1, workers)
      }
    }
  }

  /// Adds to `dw`, `[out, kernelHeight, kernelWidth, in / groups]`.
  public static func backwardWeight(
    _ x: Floats, _ dy: Floats, addingTo dw: Floats, _ shape: ConvolutionShape, _ workers: Workers
  ) {
    if let winograd = WinogradConvolution(shape) {
      return winograd.backwardWeight(x, dy, addingTo: dw, workers)
    }
    if let grouped = GroupedConvolution(shape) {
      return grouped.backwardWeight(x, dy, addingTo: dw, workers)
    }
    guard shape.outPixels > 0 else { return }
    let (outChannels, count) = (shape.groupOutChannels, shape.weightCount / shape.groups)
    for group in 0..<shape.groups {
      if count <= 1 << 16 {
        sumOverChunks(
          shape.windows(group: group), x, dy + group * outChannels, addingTo: dw + group * count, shape, workers)
      } else {
        sumByParts(
          shape.windows(group: group), x, dy + group * outChannels, addingTo: dw + group * count, shape, workers)
      }
    }
  }

  /// Few weights in a group, many pixels: each job sums over its pixels, then the sums are added in order.
  private static func sumOverChunks(
    _ windows: Windows, _ x: Floats, _ dy: Floats, addingTo dw: Floats, _ shape: ConvolutionShape, _ workers: Workers
  ) {
    let (depth, outChannels) = (windows.depth, shape.groupOutChannels)
    let count = outChannels * depth
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
          m: outChannels, n: depth, k: rows.count, dy + row * shape.outChannels, transposed: true,
          stride: shape.outChannels,
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
    _ windows: Windows, _ x: Floats, _ dy: Floats, addingTo dw: Floats, _ shape: ConvolutionShape, _ workers: Workers
  ) {
    let (depth, outChannels) = (windows.depth, shape.groupOutChannels)
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
          dy + row * shape.outChannels + outputs.lowerBound, transposed: true, stride: shape.outChannels,
          matrix + columns.lowerBound, stride: depth, beta: 1,
          into: dw + outputs.lowerBound * depth + columns.lowerBound, stride: depth)
      }
    }
  }
}
