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
    let lines = turnedLines(weight)
    let part = PackedMatrix.part(of: shape.inChannels, beside: lines.count)
    for start in stride(from: 0, to: shape.inChannels, by: part) {
      let channels = start..<min(shape.inChannels, start + part)
      let packed = PackedMatrix(
        lines: lines.map { $0 + start }, columns: channels.count,
        in: workers.shared.floats(PackedMatrix.count(steps: lines.count, columns: part)), workers)
      run(dy, packed, from: start, into: dx, isFresh: isFresh, workers)
    }
  }

  /// For the input channels of `packed`, which are those from `start` on.
  private func run(
    _ dy: Floats, _ packed: PackedMatrix, from start: Int, into dx: Floats, isFresh: Bool, _ workers: Workers
  ) {
    let windows = self.windows
    let (depth, inChannels) = (windows.depth, shape.inChannels)
    let blocks = ProductBlocks(
      rows: windows.count, columns: packed.columns, rowLimit: windows.isMap ? 512 : windows.blockLimit)
    workers.run(jobs: blocks.count) { job, scratch in
      let (rows, columns) = blocks[job]
      let bufferCount = windows.bufferCount(rows.count)
      let buffer = scratch.floats(bufferCount + (shape.stride == 1 ? 0 : rows.count * packed.columns))
      let matrix = windows.matrix(rows, of: dy, in: buffer)
      if shape.stride == 1 {
        packed.multiply(
          matrix, stride: depth, rows: rows.count, columns: columns,
          into: dx + rows.lowerBound * inChannels + start, stride: inChannels, adds: !isFresh)
      } else {
        let product = buffer + bufferCount
        packed.multiply(
          matrix, stride: depth, rows: rows.count, columns: columns, into: product, stride: packed.columns, adds: false)
        scatter(product + columns.lowerBound, packed.columns, rows, columns, windows, addingTo: dx + start)
      }
    }
  }

  /// The weights as `[taps, out]` lines of input channels.
  private func turnedLines(_ weight: Floats) -> [Floats] {
    rowTaps.flatMap { r in
      columnTaps.flatMap { s in
        (0..<shape.outChannels).map { o in
          weight + ((o * shape.kernelHeight + r) * shape.kernelWidth + s) * shape.inChannels
        }
      }
    }
  }

  private func scatter(
    _ product: Floats, _ stride: Int, _ rows: Range<Int>, _ columns: Range<Int>, _ windows: Windows,
    addingTo dx: Floats
  ) {
    var source = product
    for index in rows {
      let y = index / windows.columns % windows.rows * shape.stride + row
      let x = index % windows.columns * shape.stride + column
      let image = index / (windows.rows * windows.columns)
      let target = dx + ((image * shape.height + y) * shape.width + x) * shape.inChannels + columns.lowerBound
      for c in 0..<columns.count { target[c] += source[c] }
      source += stride
    }
  }
}
