/// `y += up(top)` on maps `[batch, height, width, channels]`, where cell i of an axis takes cell
/// ⌊i · topSize / size⌋ of the smaller map (PyTorch's `nearest`).
public enum Upsample {
  /// The sizes of y, and of the smaller map with the same batch and channels.
  public struct Shape: Hashable, Sendable {
    public let batch: Int
    public let channels: Int
    public let height: Int
    public let width: Int
    public let topHeight: Int
    public let topWidth: Int

    public init(batch: Int, channels: Int, height: Int, width: Int, topHeight: Int, topWidth: Int) {
      (self.batch, self.channels, self.height, self.width) = (batch, channels, height, width)
      (self.topHeight, self.topWidth) = (topHeight, topWidth)
    }
  }

  /// Adds to `y`, `[batch, height, width, channels]`, the cells of `top`, `[batch, topHeight, topWidth, channels]`.
  public static func add(_ top: Floats, to y: Floats, _ shape: Shape, _ workers: Workers) {
    let channels = shape.channels
    workers.run(over: shape.batch * shape.height, grain: 4) { rows in
      for row in rows {
        let topRow = row / shape.height * shape.topHeight + row % shape.height * shape.topHeight / shape.height
        for column in 0..<shape.width {
          let offset = (row * shape.width + column) * channels
          let source = top + (topRow * shape.topWidth + column * shape.topWidth / shape.width) * channels
          for c in offset..<offset + channels { y[c] += source[c - offset] }
        }
      }
    }
  }

  /// Adds to the gradient of the smaller map the gradients of all cells that took from it.
  public static func backward(_ dy: Floats, addingTo dtop: Floats, _ shape: Shape, _ workers: Workers) {
    let channels = shape.channels
    workers.run(over: shape.batch * shape.topHeight, grain: 2) { topRows in
      for topRow in topRows {
        let (image, i) = (topRow / shape.topHeight, topRow % shape.topHeight)
        for row in takers(of: i, shape.topHeight, shape.height) {
          for column in 0..<shape.width {
            let source = dy + ((image * shape.height + row) * shape.width + column) * channels
            let target = dtop + (topRow * shape.topWidth + column * shape.topWidth / shape.width) * channels
            for c in 0..<channels { target[c] += source[c] }
          }
        }
      }
    }
  }

  /// The i with ⌊i · topSize / size⌋ = `cell`.
  private static func takers(of cell: Int, _ topSize: Int, _ size: Int) -> Range<Int> {
    (cell * size + topSize - 1) / topSize..<((cell + 1) * size + topSize - 1) / topSize
  }
}
