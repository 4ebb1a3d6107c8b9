/// Tiles of 4 × 4 outputs over maps, each seeing 6 × 6 inputs that start `padding` before it.
struct TileGrid {
  private static let side = 4
  private let rows: Int
  private let columns: Int
  private let padding: Int
  let count: Int

  init(_ batch: Int, _ outHeight: Int, _ outWidth: Int, _ padding: Int) {
    rows = (outHeight + Self.side - 1) / Self.side
    columns = (outWidth + Self.side - 1) / Self.side
    self.padding = padding
    count = batch * rows * columns
  }

  func outputCorner(_ tile: Int) -> (image: Int, top: Int, left: Int) {
    (tile / (rows * columns), tile / columns % rows * Self.side, tile % columns * Self.side)
  }

  func inputCorner(_ tile: Int) -> (image: Int, top: Int, left: Int) {
    let (image, top, left) = outputCorner(tile)
    return (image, top - padding, left - padding)
  }
}

/// A map `[batch, height, width, channels]` as tiles; channels are a multiple of 16.
struct TiledMap {
  /// The tiles of a job.
  private static let grain = 8

  let values: Floats
  let batch: Int
  let height: Int
  let width: Int
  let channels: Int

  init(_ values: Floats, _ batch: Int, _ height: Int, _ width: Int, _ channels: Int) {
    (self.values, self.batch, self.height, self.width, self.channels) = (values, batch, height, width, channels)
  }

  /// Bᵀ x B of 6 × 6 inputs as `[place][tile, channel]`.
  func transformed(_ grid: TileGrid, _ tiles: Range<Int>, into planes: Plane, _ workers: Workers) {
    gather(InputTransform.self, tiles, grid.inputCorner, into: planes, workers)
  }

  /// A dy Aᵀ of 4 × 4 outputs as `[place][tile, channel]`.
  func transformedGradient(_ grid: TileGrid, _ tiles: Range<Int>, into planes: Plane, _ workers: Workers) {
    gather(OutputGradientTransform.self, tiles, grid.outputCorner, into: planes, workers)
  }

  /// Writes Aᵀ m A, which are 4 × 4 outputs a tile, where they are inside the map, or `adds` them to what is there.
  func store(
    _ planes: Plane, _ grid: TileGrid, _ tiles: Range<Int>, _ epilogue: ConvolutionEpilogue, adds: Bool,
    _ workers: Workers
  ) {
    workers.run(jobs: (tiles.count + Self.grain - 1) / Self.grain) { job, scratch in
      let middle = WinogradScratch(scratch).middle
      for index in job * Self.grain..<min(tiles.count, (job + 1) * Self.grain) {
        let (image, top, left) = grid.outputCorner(tiles.lowerBound + index)
        let corner = values + ((image * height + top) * width + left) * channels
        let (insideRows, insideColumns) = (height - top, width - left)
        for c in Swift.stride(from: 0, to: channels, by: Vector.scalarCount) {
          let source = planes[0] + index * channels + c
          OutputTransform.apply(
            middle, load: { (source + $0 * planes.stride).vector },
            store: { cell, value in
              let (row, column) = (cell / 4, cell % 4)
              guard row < insideRows, column < insideColumns else { return }
              let target = corner + (row * width + column) * channels + c
              let result = epilogue.finish(value, channel: c, offset: target - values)
              target.vector = adds ? result + target.vector : result
            })
        }
      }
    }
  }

  @inline(__always)
  private func gather<Transform: WinogradTransform>(
    _ transform: Transform.Type, _ tiles: Range<Int>, _ corner: (Int) -> (image: Int, top: Int, left: Int),
    into planes: Plane,
    _ workers: Workers
  ) {
    let size = Transform.size
    workers.run(jobs: (tiles.count + Self.grain - 1) / Self.grain) { job, scratch in
      let memory = WinogradScratch(scratch, zeros: channels)
      withUnsafeTemporaryAllocation(of: Floats.self, capacity: size * size) { cells in
        for index in job * Self.grain..<min(tiles.count, (job + 1) * Self.grain) {
          let (image, top, left) = corner(tiles.lowerBound + index)
          for cell in 0..<size * size {
            let (row, column) = (top + cell / size, left + cell % size)
            let isInside = row >= 0 && row < height && column >= 0 && column < width
            cells[cell] = isInside ? values + ((image * height + row) * width + column) * channels : memory.zeros
          }
          for c in Swift.stride(from: 0, to: channels, by: Vector.scalarCount) {
            let target = planes[0] + index * channels + c
            Transform.apply(
              memory.middle, load: { (cells[$0] + c).vector },
              store: { (target + $0 * planes.stride).vector = $1 })
          }
        }
      }
    }
  }
}
