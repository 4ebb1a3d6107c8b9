/// What each output cell of a pooling layer sees of maps `[batch, height, width, channels]`.
public struct PoolWindows: Sendable {
  public let batch: Int
  public let height: Int
  public let width: Int
  public let channels: Int
  /// For each row of the output, the rows of the map; none is empty.
  public let rows: [Range<Int>]
  /// For each column of the output, the columns of the map.
  public let columns: [Range<Int>]

  /// Windows of one size, some cells apart, over a map with `padding` cells on each side that don't count.
  public init(
    batch: Int, height: Int, width: Int, channels: Int, kernel: Int, stride: Int, padding: Int
  ) {
    (self.batch, self.height, self.width, self.channels) = (batch, height, width, channels)
    func windows(_ size: Int) -> [Range<Int>] {
      let count = (size + 2 * padding - kernel) / stride + 1
      return (0..<max(0, count)).map { i in
        let start = i * stride - padding
        return max(0, start)..<min(size, start + kernel)
      }
    }
    (rows, columns) = (windows(height), windows(width))
  }

  /// As many windows as are wanted, which cover the map: torch's `adaptive_max_pool2d`.
  public init(batch: Int, height: Int, width: Int, channels: Int, outHeight: Int, outWidth: Int) {
    (self.batch, self.height, self.width, self.channels) = (batch, height, width, channels)
    func windows(_ size: Int, _ count: Int) -> [Range<Int>] {
      (0..<count).map { i in i * size / count..<((i + 1) * size + count - 1) / count }
    }
    (rows, columns) = (windows(height, outHeight), windows(width, outWidth))
  }

  public var outPixels: Int { rows.count * columns.count }

  /// The cells, as pixel numbers over all images, that an output pixel sees; `row` counts over all images.
  @inline(__always)
  func forEachCell(of row: Int, _ column: Int, _ body: (Int) -> Void) {
    let first = row / rows.count * height
    for h in rows[row % rows.count] {
      for w in columns[column] { body((first + h) * width + w) }
    }
  }
}
