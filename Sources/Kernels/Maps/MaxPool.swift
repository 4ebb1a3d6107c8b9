/// The maximum over windows of maps `[batch, height, width, channels]`; the gradient goes to the first cell that
/// holds it. Cells outside the map don't count.
public enum MaxPool {
  /// Writes `y`, `[batch, rows, columns, channels]`. A window that holds a NaN gives NaN.
  public static func forward(_ x: Floats, into y: Floats, _ windows: PoolWindows, _ workers: Workers) {
    let (channels, outWidth) = (windows.channels, windows.columns.count)
    workers.run(over: windows.batch * windows.rows.count, grain: 4) { range in
      for row in range {
        for column in 0..<outWidth {
          let target = y + (row * outWidth + column) * channels
          target.update(repeating: -.infinity, count: channels)
          windows.forEachCell(of: row, column) { cell in
            let source = x + cell * channels
            for c in 0..<channels {
              let isNewMaximum = source[c] > target[c] || source[c].isNaN
              target[c] = isNewMaximum ? source[c] : target[c]
            }
          }
        }
      }
    }
  }

  /// Adds to `dx` the gradients `dy`, given the input `x` and the output `y`. Windows overlap, so that the work is cut by
  /// channels.
  public static func backward(
    _ dy: Floats, _ x: Floats, _ y: Floats, addingTo dx: Floats, _ windows: PoolWindows, _ workers: Workers
  ) {
    let (channels, slice) = (windows.channels, 64)
    let slices = (channels + slice - 1) / slice
    let outWidth = windows.columns.count
    workers.run(jobs: windows.batch * slices) { job, scratch in
      let first = job % slices * slice
      let count = min(slice, channels - first)
      let open = scratch.floats(slice)
      let start = job / slices * windows.outPixels
      for pixel in start..<start + windows.outPixels {
        let (maximum, gradient) = (y + pixel * channels + first, dy + pixel * channels + first)
        open.update(from: gradient, count: count)
        windows.forEachCell(of: pixel / outWidth, pixel % outWidth) { cell in
          let (source, target) = (x + cell * channels + first, dx + cell * channels + first)
          for c in 0..<count {
            let share = source[c] == maximum[c] ? open[c] : 0
            target[c] += share
            open[c] -= share
          }
        }
      }
    }
  }
}
