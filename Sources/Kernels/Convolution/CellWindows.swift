/// The windows that a convolution of stride 1, without dilation or groups, sees from some cells of its output alone, as rows
/// `[cells, kernelHeight · kernelWidth · in]`. A cell's number is its pixel's in `[batch, outHeight, outWidth]`.
public enum CellWindows {
  /// Writes the rows.
  public static func gather(
    _ cells: [Int32], of x: Floats, into rows: Floats, _ shape: ConvolutionShape, _ workers: Workers
  ) {
    let windows = shape.windows()
    workers.run(over: cells.count, grain: 8) { range in
      for i in range { windows.copyWindow(Int(cells[i]), of: x, into: rows + i * windows.depth) }
    }
  }

  /// Adds the gradients of the rows to those of the pixels that they were copied from.
  public static func scatter(
    _ rows: Floats, _ cells: [Int32], addingTo dx: Floats, _ shape: ConvolutionShape, _ workers: Workers
  ) {
    let windows = shape.windows()
    // Windows overlap, so that the threads share out channels instead of cells.
    workers.run(over: shape.inChannels, grain: 32) { channels in
      for (i, cell) in cells.enumerated() {
        windows.addWindow(Int(cell), rows + i * windows.depth, channels, addingTo: dx)
      }
    }
  }
}

extension Windows {
  /// A window numbered as the rows of the column matrix.
  fileprivate func copyWindow(_ index: Int, of map: Floats, into target: Floats) {
    copyWindow(image: index / (rows * columns), index / columns % rows, index % columns, of: map, into: target)
  }

  fileprivate func addWindow(_ index: Int, _ row: Floats, _ wanted: Range<Int>, addingTo map: Floats) {
    let (image, y, x) = (index / (rows * columns), index / columns % rows + top, index % columns + left)
    for r in max(0, -y)..<max(0, -y, min(kernelHeight, height - y)) {
      for s in max(0, -x)..<max(0, -x, min(kernelWidth, width - x)) {
        let source = row + (r * kernelWidth + s) * channels
        let target = map + ((image * height + y + r) * width + x + s) * channels
        for c in wanted { target[c] += source[c] }
      }
    }
  }
}
