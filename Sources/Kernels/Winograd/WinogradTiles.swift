/// Tiles of 4 × 4 outputs over maps, each seeing 6 × 6 inputs that start `padding` before it.
struct TileGrid {
  static let side = 4
  private let rows: Int
  private let columns: Int
  private let padding: Int
  let count: Int

  init(batch: Int, outHeight: Int, outWidth: Int, padding: Int) {
    rows = (outHeight + Self.side - 1) / Self.side
    columns = (outWidth + Self.side - 1) / Self.side
    self.padding = padding
    count = batch * rows * columns
  }

  /// The tiles whose outputs are `map`.
  init(over map: TiledMap, padding: Int) {
    self.init(batch: map.batch, outHeight: map.height, outWidth: map.width, padding: padding)
  }

  func outputCorner(_ tile: Int) -> (image: Int, top: Int, left: Int) {
    (tile / (rows * columns), tile / columns % rows * Self.side, tile % columns * Self.side)
  }

  func inputCorner(_ tile: Int) -> (image: Int, top: Int, left: Int) {
    let (image, top, left) = outputCorner(tile)
    return (image, top - padding, left - padding)
  }
}

/// Tiles of a grid, in order.
struct TileList {
  let grid: TileGrid
  /// The numbers of the tiles in the grid.
  private let numbers: [Int]
  /// The tiles that were left out.
  let others: [Int]

  init(all grid: TileGrid) {
    (self.grid, numbers, others) = (grid, Array(0..<grid.count), [])
  }

  /// The tiles that are not `zero`.
  init(_ grid: TileGrid, _ workers: Workers, isZero: (_ tile: Int) -> Bool) {
    let flags = [Bool](unsafeUninitializedCapacity: grid.count) { flags, count in
      workers.run(over: grid.count, grain: 64) { range in
        for tile in range { flags.initializeElement(at: tile, to: isZero(tile)) }
      }
      count = grid.count
    }
    self.grid = grid
    numbers = flags.indices.filter { !flags[$0] }
    others = flags.indices.filter { flags[$0] }
  }

  var count: Int { numbers.count }
  subscript(index: Int) -> Int { numbers[index] }
}

/// A map `[batch, height, width, channels]` as tiles; channels are a multiple of 16.
struct TiledMap {
  let values: Floats
  let batch: Int
  let height: Int
  let width: Int
  let channels: Int

  init(values: Floats, batch: Int, height: Int, width: Int, channels: Int) {
    (self.values, self.batch, self.height, self.width, self.channels) = (values, batch, height, width, channels)
  }

  init(inputOf shape: ConvolutionShape, _ values: Floats) {
    self.init(
      values: values, batch: shape.batch, height: shape.height, width: shape.width, channels: shape.inChannels)
  }

  init(outputOf shape: ConvolutionShape, _ values: Floats) {
    self.init(
      values: values, batch: shape.batch, height: shape.outHeight, width: shape.outWidth, channels: shape.outChannels)
  }

  /// Bᵀ x B of 6 × 6 inputs of some tiles, the lines of `planes` from one on.
  ///
  /// - Parameter channels: some of them, from a multiple of 16 to one; nil: all.
  func transform(
    _ tiles: TileList, _ part: Range<Int>, channels: Range<Int>? = nil, into planes: WinogradPlanes,
    from line: Int = 0
  ) {
    gather(InputTransform.self, tiles, part, channels, tiles.grid.inputCorner, into: planes, line)
  }

  /// A dy Aᵀ of 4 × 4 outputs of some tiles, as `transform`.
  func transformGradient(
    _ tiles: TileList, _ part: Range<Int>, channels: Range<Int>? = nil, into planes: WinogradPlanes,
    from line: Int = 0
  ) {
    gather(OutputGradientTransform.self, tiles, part, channels, tiles.grid.outputCorner, into: planes, line)
  }

  /// Writes Aᵀ m A, which are 4 × 4 outputs a tile, where they are inside the map, or `adds` them to what is there.
  ///
  /// - Parameter planes: the tiles of `part` and the channels of `groups`, both from zero on.
  func store(
    _ planes: WinogradPlanes, _ tiles: TileList, _ part: Range<Int>, groups: Range<Int>,
    _ epilogue: ConvolutionEpilogue, adds: Bool
  ) {
    OutputTransform.withMiddle { middle in
      for index in part {
        let (image, top, left) = tiles.grid.outputCorner(tiles[index])
        let corner = values + ((image * height + top) * width + left) * channels
        let (insideRows, insideColumns) = (height - top, width - left)
        for group in groups {
          let square = planes.square(group: group - groups.lowerBound, line: index - part.lowerBound)
          let channel = group * Vector.scalarCount
          OutputTransform.apply(
            middle, load: { square[$0] },
            store: { cell, value in
              let (row, column) = (cell / 4, cell % 4)
              guard row < insideRows, column < insideColumns else { return }
              let target = corner + (row * width + column) * channels + channel
              let result = epilogue.finish(value, channel: channel, offset: target - values)
              target.vector = adds ? result + target.vector : result
            })
        }
      }
    }
  }

  @inline(__always)
  private func gather<Transform: WinogradTransform>(
    _ transform: Transform.Type, _ tiles: TileList, _ part: Range<Int>, _ channels: Range<Int>?,
    _ corner: (Int) -> (image: Int, top: Int, left: Int), into planes: WinogradPlanes, _ line: Int
  ) {
    let size = Transform.size
    let (first, count) = (channels?.lowerBound ?? 0, (channels?.count ?? self.channels) / Vector.scalarCount)
    Transform.withMiddle { middle in
      withUnsafeTemporaryAllocation(of: Floats?.self, capacity: 36) { cells in
        for index in part {
          let (image, top, left) = corner(tiles[index])
          for cell in 0..<size * size {
            cells[cell] = pixel(image, top + cell / size, left + cell % size).map { $0 + first }
          }
          for group in 0..<count {
            let square = planes.square(group: group, line: line + index - part.lowerBound)
            Transform.apply(
              middle, load: { cells[$0].map { ($0 + group * Vector.scalarCount).vector } ?? Vector() },
              store: { square[$0] = $1 })
          }
        }
      }
    }
  }

  /// Nil outside of the map.
  @inline(__always)
  private func pixel(_ image: Int, _ row: Int, _ column: Int) -> Floats? {
    guard row >= 0, row < height, column >= 0, column < width else { return nil }
    return values + ((image * height + row) * width + column) * channels
  }

  /// Whether all is zero in a square, as far as it is inside the map.
  func isZero(_ corner: (image: Int, top: Int, left: Int), side: Int) -> Bool {
    for row in corner.top..<corner.top + side {
      for column in corner.left..<corner.left + side {
        guard let pixel = pixel(corner.image, row, column) else { continue }
        for channel in Swift.stride(from: 0, to: channels, by: Vector.scalarCount)
        where any((pixel + channel).vector .!= 0) { return false }
      }
    }
    return true
  }

  /// Sets the outputs of some tiles to zero.
  func clear(_ tiles: [Int], _ grid: TileGrid, _ workers: Workers) {
    workers.run(over: tiles.count, grain: 64) { range in
      for index in range {
        let (image, top, left) = grid.outputCorner(tiles[index])
        let width = min(TileGrid.side, self.width - left)
        for row in top..<min(height, top + TileGrid.side) {
          pixel(image, row, left)?.update(repeating: 0, count: width * channels)
        }
      }
    }
  }
}
