/// The input pixels (row + stride · i, column + stride · j) of a convolution. All of them are reached by the same
/// taps of the kernel, so that their gradient is itself a convolution of `dy` with stride 1: by those taps, turned by
/// 180°.
struct InputPhase {
  private let shape: ConvolutionShape
  private let row: Int
  private let column: Int
  private let rowTaps: [Int]
  private let columnTaps: [Int]

  /// Nil when no tap reaches the pixels or there are none.
  init?(row: Int, column: Int, of shape: ConvolutionShape) {
    func taps(_ phase: Int, _ kernel: Int) -> [Int] {
      (0..<kernel).reversed().filter { (phase + shape.padding - $0) % shape.stride == 0 }
    }
    (self.shape, self.row, self.column) = (shape, row, column)
    rowTaps = taps(row, shape.kernelHeight)
    columnTaps = taps(column, shape.kernelWidth)
    if rowTaps.isEmpty || columnTaps.isEmpty || row >= shape.height || column >= shape.width { return nil }
  }

  private var windows: Windows {
    let stride = shape.stride
    return Windows(
      batch: shape.batch, height: shape.outHeight, width: shape.outWidth, channels: shape.outChannels,
      rows: (shape.height - row + stride - 1) / stride, columns: (shape.width - column + stride - 1) / stride,
      kernelHeight: rowTaps.count, kernelWidth: columnTaps.count, step: 1,
      top: (row + shape.padding - rowTaps[0]) / stride, left: (column + shape.padding - columnTaps[0]) / stride)
  }

  func run(_ dy: Floats, _ weight: Floats, into dx: Floats, isFresh: Bool, _ workers: Workers) {
    let windows = self.windows
    let (depth, inChannels) = (windows.depth, shape.inChannels)
    let turned = turnedWeight(weight, workers)
    let blocks = ProductBlocks(
      rows: windows.count, columns: inChannels, rowLimit: windows.isMap ? 512 : windows.blockLimit)
    workers.run(jobs: blocks.count) { job, scratch in
      let (rows, columns) = blocks[job]
      let bufferCount = windows.bufferCount(rows.count)
      let buffer = scratch.floats(bufferCount + rows.count * columns.count)
      let matrix = windows.matrix(rows, of: dy, in: buffer)
      let isDirect = shape.stride == 1
      let target = isDirect ? dx + rows.lowerBound * inChannels + columns.lowerBound : buffer + bufferCount
      MatrixMultiply.multiply(
        m: rows.count, n: columns.count, k: depth, matrix, stride: depth,
        turned + columns.lowerBound, stride: inChannels, beta: isDirect && !isFresh ? 1 : 0,
        into: target, stride: isDirect ? inChannels : columns.count)
      if !isDirect { scatter(target, rows, columns, windows, addingTo: dx) }
    }
  }

  /// `[taps, out, in]`, which the weights of a 1 × 1 kernel already are.
  private func turnedWeight(_ weight: Floats, _ workers: Workers) -> Floats {
    let (inChannels, outChannels) = (shape.inChannels, shape.outChannels)
    if shape.kernelHeight * shape.kernelWidth == 1 { return weight }
    let turned = workers.shared.floats(rowTaps.count * columnTaps.count * outChannels * inChannels)
    workers.run(over: outChannels, grain: 16) { outputs in
      var target = turned
      for r in rowTaps {
        for s in columnTaps {
          for o in outputs {
            let source = weight + ((o * shape.kernelHeight + r) * shape.kernelWidth + s) * inChannels
            (target + o * inChannels).update(from: source, count: inChannels)
          }
          target += outChannels * inChannels
        }
      }
    }
    return turned
  }

  private func scatter(
    _ product: Floats, _ rows: Range<Int>, _ columns: Range<Int>, _ windows: Windows, addingTo dx: Floats
  ) {
    var source = product
    for index in rows {
      let y = index / windows.columns % windows.rows * shape.stride + row
      let x = index % windows.columns * shape.stride + column
      let image = index / (windows.rows * windows.columns)
      let target = dx + ((image * shape.height + y) * shape.width + x) * shape.inChannels + columns.lowerBound
      for c in 0..<columns.count { target[c] += source[c] }
      source += columns.count
    }
  }
}
