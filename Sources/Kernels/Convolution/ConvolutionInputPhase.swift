/// The input pixels (row + stride · i, column + stride · j) of a group of a convolution. All of them are reached by the
/// same taps of the kernel, so that their gradient is itself a convolution of `dy` with stride 1: by those taps, turned by
/// 180°. Taps that follow each other among them are `dilation / gcd(dilation, stride)` cells of `dy` apart.
struct InputPhase {
  private let shape: ConvolutionShape
  private let group: Int
  private let row: Int
  private let column: Int
  private let rowTaps: [Int]
  private let columnTaps: [Int]

  /// Nil when no tap reaches the pixels or there are none.
  private init?(row: Int, column: Int, of shape: ConvolutionShape, group: Int) {
    func taps(_ phase: Int, _ kernel: Int) -> [Int] {
      (0..<kernel).reversed().filter { (phase + shape.padding - $0 * shape.dilation) % shape.stride == 0 }
    }
    (self.shape, self.group, self.row, self.column) = (shape, group, row, column)
    rowTaps = taps(row, shape.kernelHeight)
    columnTaps = taps(column, shape.kernelWidth)
    if rowTaps.isEmpty || columnTaps.isEmpty || row >= shape.height || column >= shape.width { return nil }
  }

  /// All that there are, of a convolution without groups or of one of its groups.
  static func all(of shape: ConvolutionShape, group: Int = 0) -> [InputPhase] {
    (0..<shape.stride * shape.stride).compactMap {
      InputPhase(row: $0 / shape.stride, column: $0 % shape.stride, of: shape, group: group)
    }
  }

  /// The numbers of the taps in the kernel, in the order of a window's cells.
  var taps: [Int] { rowTaps.flatMap { r in columnTaps.map { r * shape.kernelWidth + $0 } } }

  private var windows: Windows {
    let channels = shape.groupOutChannels
    return windows(channels: group * channels..<(group + 1) * channels)
  }

  /// What the pixels see of some channels of `dy`.
  func windows(channels: Range<Int>) -> Windows {
    let stride = shape.stride
    func first(_ phase: Int, _ taps: [Int]) -> Int { (phase + shape.padding - taps[0] * shape.dilation) / stride }
    return Windows(
      batch: shape.batch, height: shape.outHeight, width: shape.outWidth, mapChannels: shape.outChannels,
      firstChannel: channels.lowerBound, channels: channels.count, rows: (shape.height - row + stride - 1) / stride,
      columns: (shape.width - column + stride - 1) / stride, kernelHeight: rowTaps.count,
      kernelWidth: columnTaps.count, step: 1,
      dilation: shape.dilation / Self.greatestCommonDivisor(shape.dilation, stride), top: first(row, rowTaps),
      left: first(column, columnTaps))
  }

  private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
    b == 0 ? a : greatestCommonDivisor(b, a % b)
  }

  func run(_ dy: Floats, _ weight: Floats, into dx: Floats, isFresh: Bool, _ workers: Workers) {
    let (lines, inChannels) = (turnedLines(weight), shape.groupInChannels)
    let part = PackedMatrix.part(of: inChannels, beside: lines.count)
    for start in stride(from: 0, to: inChannels, by: part) {
      let channels = start..<min(inChannels, start + part)
      let packed = PackedMatrix(
        lines: lines.map { $0 + start }, columns: channels.count,
        in: workers.shared.floats(PackedMatrix.count(steps: lines.count, columns: part)), workers)
      run(dy, packed, from: group * inChannels + start, into: dx, isFresh: isFresh, workers)
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
        scatter(
          product + columns.lowerBound, packed.columns, rows, channels: columns.count,
          to: dx + start + columns.lowerBound, adds: true)
      }
    }
  }

  /// The weights as `[taps, out]` lines of input channels.
  private func turnedLines(_ weight: Floats) -> [Floats] {
    taps.flatMap { tap in
      (group * shape.groupOutChannels..<(group + 1) * shape.groupOutChannels).map { o in
        weight + (o * shape.kernelHeight * shape.kernelWidth + tap) * shape.groupInChannels
      }
    }
  }

  /// Writes the sums of the windows `rows`, `stride` floats apart, to some channels of their pixels, or adds them.
  ///
  /// - Parameter dx: the input's gradient from the first of the channels on.
  func scatter(_ product: Floats, _ stride: Int, _ rows: Range<Int>, channels: Int, to dx: Floats, adds: Bool) {
    let windows = self.windows
    var source = product
    for index in rows {
      let y = index / windows.columns % windows.rows * shape.stride + row
      let x = index % windows.columns * shape.stride + column
      let image = index / (windows.rows * windows.columns)
      let target = dx + ((image * shape.height + y) * shape.width + x) * shape.inChannels
      if adds {
        for c in 0..<channels { target[c] += source[c] }
      } else {
        for c in 0..<channels { target[c] = source[c] }
      }
      source += stride
    }
  }
}
