/// The windows of a sliding kernel on maps `[batch, height, width, channels]`: pixel (i, j) of a grid of
/// rows × columns sees the kernelHeight × kernelWidth cells from (i · step + top, j · step + left) on, zeros outside.
///
/// They are the rows of the column matrix ("im2col"), of which only blocks that fit the cache ever exist.
struct Windows {
  let batch: Int
  let height: Int
  let width: Int
  let channels: Int
  let rows: Int
  let columns: Int
  let kernelHeight: Int
  let kernelWidth: Int
  let step: Int
  let top: Int
  let left: Int

  /// The number of windows: the height of the column matrix.
  var count: Int { batch * rows * columns }
  /// The length of a window: the width of the column matrix.
  var depth: Int { kernelHeight * kernelWidth * channels }
  /// Whether the column matrix is the map as it lies.
  var isMap: Bool {
    (kernelHeight, kernelWidth, step) == (1, 1, 1) && (top, left) == (0, 0) && (rows, columns) == (height, width)
  }
  /// The number of windows that make a block of 4 MiB, so that it stays in the cache.
  var blockLimit: Int { min(1024, max(64, (1 << 20) / depth)) }
  /// The floats that `matrix` needs for a block.
  func bufferCount(_ windows: Int) -> Int { isMap ? 0 : windows * depth }

  /// The rows `range` of the column matrix, each `depth` floats after the one before: a part of the map itself where
  /// that is possible, else written into `buffer`.
  func matrix(_ range: Range<Int>, of map: Floats, in buffer: Floats) -> Floats {
    if isMap { return map + range.lowerBound * channels }
    var row = buffer
    for index in range {
      copyWindow(image: index / (rows * columns), index / columns % rows, index % columns, of: map, into: row)
      row += depth
    }
    return buffer
  }

  /// In a row of the window, the cells inside the map are neighbours in memory.
  func copyWindow(image: Int, _ i: Int, _ j: Int, of map: Floats, into target: Floats) {
    let (y, x) = (i * step + top, j * step + left)
    let before = min(kernelWidth, max(0, -x)) * channels
    let end = max(before, min(kernelWidth, width - x) * channels)
    let length = kernelWidth * channels
    for r in 0..<kernelHeight {
      let row = target + r * length
      guard y + r >= 0, y + r < height else {
        row.update(repeating: 0, count: length)
        continue
      }
      let source = map + ((image * height + y + r) * width + x) * channels
      row.update(repeating: 0, count: before)
      for k in before..<end { row[k] = source[k] }
      (row + end).update(repeating: 0, count: length - end)
    }
  }
}
