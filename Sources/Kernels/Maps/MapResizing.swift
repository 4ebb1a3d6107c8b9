/// How a map is brought to another size, as torch's `interpolate`.
public enum MapResizing: Equatable, Sendable {
  /// Cell i takes cell ⌊i · size / newSize⌋.
  case nearest
  /// Between the four nearest cells; `alignCorners`: the centres of the outermost cells coincide, else their edges.
  case bilinear(alignCorners: Bool)
}

/// Bilinear enlargement of maps `[batch, topHeight, topWidth, channels]` to `[batch, height, width, channels]`.
public enum Bilinear {
  /// The two cells of the smaller axis that a cell of the larger one lies between.
  private struct Tap {
    let first: Int
    let second: Int
    /// Of the second; the first has the rest.
    let weight: Float
  }

  private static func taps(_ size: Int, of topSize: Int, alignCorners: Bool) -> [Tap] {
    let step =
      alignCorners
      ? (size > 1 ? Float(topSize - 1) / Float(size - 1) : 0) : Float(topSize) / Float(size)
    return (0..<size).map { i in
      let place = alignCorners ? step * Float(i) : max(0, step * (Float(i) + 0.5) - 0.5)
      let first = min(Int(place), topSize - 1)
      return Tap(first: first, second: min(first + 1, topSize - 1), weight: place - Float(first))
    }
  }

  /// Writes `y`.
  public static func forward(
    _ top: Floats, into y: Floats, _ shape: Upsample.Shape, alignCorners: Bool, _ workers: Workers
  ) {
    let channels = shape.channels
    let rowTaps = taps(shape.height, of: shape.topHeight, alignCorners: alignCorners)
    let columnTaps = taps(shape.width, of: shape.topWidth, alignCorners: alignCorners)
    workers.run(over: shape.batch * shape.height, grain: 4) { rows in
      for row in rows {
        let tap = rowTaps[row % shape.height]
        let start = row / shape.height * shape.topHeight
        for (column, across) in columnTaps.enumerated() {
          let target = y + (row * shape.width + column) * channels
          let (upper, lower) = (start + tap.first, start + tap.second)
          let (a, b) = (top + cell(upper, across.first, shape), top + cell(upper, across.second, shape))
          let (c, d) = (top + cell(lower, across.first, shape), top + cell(lower, across.second, shape))
          let (right, down) = (across.weight, tap.weight)
          for i in 0..<channels {
            target[i] =
              (1 - down) * ((1 - right) * a[i] + right * b[i]) + down * ((1 - right) * c[i] + right * d[i])
          }
        }
      }
    }
  }

  /// Adds to the gradient of the smaller map. Cells have several takers, so that the work is cut by channels.
  public static func backward(
    _ dy: Floats, addingTo dtop: Floats, _ shape: Upsample.Shape, alignCorners: Bool, _ workers: Workers
  ) {
    let (channels, slice) = (shape.channels, 64)
    let slices = (channels + slice - 1) / slice
    let rowTaps = taps(shape.height, of: shape.topHeight, alignCorners: alignCorners)
    let columnTaps = taps(shape.width, of: shape.topWidth, alignCorners: alignCorners)
    workers.run(jobs: shape.batch * slices) { job, _ in
      let (image, first) = (job / slices, job % slices * slice)
      let count = min(slice, channels - first)
      for (row, tap) in rowTaps.enumerated() {
        for (column, across) in columnTaps.enumerated() {
          let source = dy + ((image * shape.height + row) * shape.width + column) * channels + first
          for (topRow, down) in [(tap.first, 1 - tap.weight), (tap.second, tap.weight)] {
            let start = image * shape.topHeight + topRow
            for (topColumn, right) in [(across.first, 1 - across.weight), (across.second, across.weight)] {
              let target = dtop + cell(start, topColumn, shape) + first
              let weight = down * right
              for c in 0..<count { target[c] += weight * source[c] }
            }
          }
        }
      }
    }
  }

  /// The first float of a cell of the smaller map; `row` counts over all images.
  private static func cell(_ row: Int, _ column: Int, _ shape: Upsample.Shape) -> Int {
    (row * shape.topWidth + column) * shape.channels
  }
}
