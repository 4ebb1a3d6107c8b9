/// The mean over all pixels of each image: maps `[images, pixels, channels]`, means `[images, channels]`.
public enum AveragePool {
  /// Writes `y`.
  public static func forward(_ x: Floats, into y: Floats, _ size: MapSize, _ workers: Workers) {
    let (pixels, channels) = (size.pixels, size.channels)
    workers.run(over: size.images, grain: 8) { images in
      for image in images {
        let (source, target) = (x + image * pixels * channels, y + image * channels)
        target.update(repeating: 0, count: channels)
        for pixel in 0..<pixels {
          for c in 0..<channels { target[c] += source[pixel * channels + c] }
        }
        for c in 0..<channels { target[c] /= Float(pixels) }
      }
    }
  }

  /// Adds `dy / pixels` to each pixel of `dx`.
  public static func backward(_ dy: Floats, addingTo dx: Floats, _ size: MapSize, _ workers: Workers) {
    let (pixels, channels) = (size.pixels, size.channels)
    workers.run(over: size.images, grain: 8) { images in
      for image in images {
        let (source, target) = (dy + image * channels, dx + image * pixels * channels)
        for pixel in 0..<pixels {
          for c in 0..<channels { target[pixel * channels + c] += source[c] / Float(pixels) }
        }
      }
    }
  }
}

/// Squares of `side` × `side` cells that cover maps `[images, height, width, channels]`, smaller at the right and the lower
/// border.
public struct PooledSquares: Sendable {
  public let images: Int
  public let height: Int
  public let width: Int
  public let channels: Int
  public let side: Int

  public init(images: Int, height: Int, width: Int, channels: Int, side: Int) {
    (self.images, self.height, self.width, self.channels, self.side) = (images, height, width, channels, side)
  }

  /// The squares of a map.
  public var rows: Int { (height + side - 1) / side }
  public var columns: Int { (width + side - 1) / side }

  /// Calls `body` with each row of a square, in any order: the number of the square's row, and where in it which squares
  /// and cells begin, how many cells they are, and one divided by the square's number of cells.
  fileprivate func forEachRun(
    squareRow: Int, _ body: (_ square: Int, _ cell: Int, _ count: Int, _ factor: Float) -> Void
  ) {
    let (image, row) = (squareRow / rows, squareRow % rows)
    let cellRows = row * side..<min(height, (row + 1) * side)
    for column in 0..<columns {
      let count = min(width, (column + 1) * side) - column * side
      for cellRow in cellRows {
        body(
          squareRow * columns + column, (image * height + cellRow) * width + column * side, count,
          1 / Float(count * cellRows.count))
      }
    }
  }
}

extension AveragePool {
  /// The mean of each square: writes `y`, `[images, rows, columns, channels]`.
  public static func forward(_ x: Floats, into y: Floats, _ squares: PooledSquares, _ workers: Workers) {
    let (channels, rowLength) = (squares.channels, squares.columns * squares.channels)
    workers.run(over: squares.images * squares.rows, grain: 4) { rows in
      for row in rows {
        (y + row * rowLength).update(repeating: 0, count: rowLength)
        squares.forEachRun(squareRow: row) { square, cell, count, factor in
          let target = y + square * channels
          for i in cell..<cell + count {
            let source = x + i * channels
            for c in 0..<channels { target[c] += source[c] * factor }
          }
        }
      }
    }
  }

  /// Adds to each cell of `dx` its part of its square's `dy`.
  public static func backward(_ dy: Floats, addingTo dx: Floats, _ squares: PooledSquares, _ workers: Workers) {
    let channels = squares.channels
    workers.run(over: squares.images * squares.rows, grain: 4) { rows in
      for row in rows {
        squares.forEachRun(squareRow: row) { square, cell, count, factor in
          let source = dy + square * channels
          for i in cell..<cell + count {
            let target = dx + i * channels
            for c in 0..<channels { target[c] += source[c] * factor }
          }
        }
      }
    }
  }
}
