/// The windows of a sliding kernel on some channels of maps `[batch, height, width, mapChannels]`: pixel (i, j) of a grid
/// of rows × columns sees kernelHeight × kernelWidth cells, every `dilation`th from (i · step + top, j · step + left) on,
/// zeros outside.
///
/// They are the rows of the column matrix ("im2col"), of which only blocks that fit the cache ever exist.
struct Windows {
  let batch: Int
  let height: Int
  let width: Int
  let mapChannels: Int
  /// The channels that are seen: `channels` from `firstChannel` on.
  let firstChannel: Int
  let channels: Int
  let rows: Int
  let columns: Int
  let kernelHeight: Int
  let kernelWidth: Int
  let step: Int
  let dilation: Int
  let top: Int
  let left: Int

  /// The number of windows: the height of the column matrix.
  var count: Int { batch * rows * columns }
  /// The length of a window: the width of the column matrix.
  var depth: Int { kernelHeight * kernelWidth * channels }
  /// Whether the column matrix is the map as it lies.
  var isMap: Bool {
    (kernelHeight, kernelWidth, step) == (1, 1, 1) && (top, left) == (0, 0) && (rows, columns) == (height, width)
      && channels == mapChannels
  }
  /// Whether the cells that a row of the window sees are neighbours in memory.
  private var hasWholeRows: Bool { dilation == 1 && channels == mapChannels }
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

  func copyWindow(image: Int, _ i: Int, _ j: Int, of map: Floats, into target: Floats) {
    guard hasWholeRows else { return copyCells(image: image, i, j, of: map, into: target) }
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

  /// As `copyWindow`, cell by cell.
  private func copyCells(image: Int, _ i: Int, _ j: Int, of map: Floats, into target: Floats) {
    let length = Vector.scalarCount
    let whole = channels / length * length
    for tap in 0..<kernelHeight * kernelWidth {
      let cell = target + tap * channels
      guard let source = self.cell(image, i, j, tap, of: map) else {
        cell.update(repeating: 0, count: channels)
        continue
      }
      for k in stride(from: 0, to: whole, by: length) { (cell + k).vector = (source + k).vector }
      for k in whole..<channels { cell[k] = source[k] }
    }
  }

  /// The channels that pixel (i, j) sees through a tap; nil outside of the map.
  @inline(__always)
  private func cell(_ image: Int, _ i: Int, _ j: Int, _ tap: Int, of map: Floats) -> Floats? {
    let row = i * step + top + tap / kernelWidth * dilation
    let column = j * step + left + tap % kernelWidth * dilation
    guard row >= 0, row < height, column >= 0, column < width else { return nil }
    return map + ((image * height + row) * width + column) * mapChannels + firstChannel
  }

  /// Where sixteen channels of a cell go.
  struct VectorPlace {
    /// The first of the channels.
    let source: Int
    /// Where the first window's first tap has them, and how far it is to those of the next window and of the next tap.
    let target: Int
    let windowStride: Int
    let tapStride: Int
  }

  /// Copies what the windows `range` see of some vectors of channels: a cell's are read side by side.
  func write(_ range: Range<Int>, of map: Floats, _ places: [VectorPlace], into buffer: Floats) {
    for index in range {
      let (image, i, j) = (index / (rows * columns), index / columns % rows, index % columns)
      for tap in 0..<kernelHeight * kernelWidth {
        let source = cell(image, i, j, tap, of: map)
        for place in places {
          let target = place.target + (index - range.lowerBound) * place.windowStride + tap * place.tapStride
          (buffer + target).vector = source.map { ($0 + place.source).vector } ?? Vector()
        }
      }
    }
  }
}
