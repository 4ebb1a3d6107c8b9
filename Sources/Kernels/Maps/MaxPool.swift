/// The maximum over windows of maps `[batch, height, width, channels]`; the gradient goes to the first cell that
/// holds it. Cells outside the map don't count. The sizes are a convolution's with as many channels out as in.
public enum MaxPool {
  /// Writes `y`, `[batch, outHeight, outWidth, channels]`. A window that holds a NaN gives NaN.
  public static func forward(_ x: Floats, into y: Floats, _ shape: ConvolutionShape, _ workers: Workers) {
    let (channels, outWidth) = (shape.inChannels, shape.outWidth)
    workers.run(over: shape.batch * shape.outHeight, grain: 4) { range in
      for row in range {
        for column in 0..<outWidth {
          let target = y + (row * outWidth + column) * channels
          target.update(repeating: -.infinity, count: channels)
          forEachCell(of: row, column, shape) { cell in
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
    _ dy: Floats, _ x: Floats, _ y: Floats, addingTo dx: Floats, _ shape: ConvolutionShape, _ workers: Workers
  ) {
    let (channels, slice) = (shape.inChannels, 64)
    let outPixels = shape.outHeight * shape.outWidth
    let slices = (channels + slice - 1) / slice
    workers.run(jobs: shape.batch * slices) { job, scratch in
      let first = job % slices * slice
      let count = min(slice, channels - first)
      let open = scratch.floats(slice)
      let start = job / slices * outPixels
      for pixel in start..<start + outPixels {
        let (maximum, gradient) = (y + pixel * channels + first, dy + pixel * channels + first)
        open.update(from: gradient, count: count)
        forEachCell(of: pixel / shape.outWidth, pixel % shape.outWidth, shape) { cell in
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

  /// The cells, as pixel numbers over all images, that an output pixel sees; `row` counts over all images.
  @inline(__always)
  private static func forEachCell(of row: Int, _ column: Int, _ shape: ConvolutionShape, _ body: (Int) -> Void) {
    let (image, i) = (row / shape.outHeight, row % shape.outHeight)
    let (top, left) = (i * shape.stride - shape.padding, column * shape.stride - shape.padding)
    for h in max(0, top)..<min(shape.height, top + shape.kernelHeight) {
      for w in max(0, left)..<min(shape.width, left + shape.kernelWidth) {
        body((image * shape.height + h) * shape.width + w)
      }
    }
  }
}
