/// Sums of maps of one shape, and maps side by side.
public enum MapSum {
  private static let grain = 1 << 15

  /// Writes `y = scale · Σ maps`, adding them in their order.
  public static func forward(_ maps: [Floats], scale: Float, into y: Floats, count: Int, _ workers: Workers) {
    workers.run(over: count, grain: grain) { range in
      (y + range.lowerBound).update(from: maps[0] + range.lowerBound, count: range.count)
      for map in maps.dropFirst() { for i in range { y[i] += map[i] } }
      if scale != 1 { for i in range { y[i] *= scale } }
    }
  }

  /// `dx = scale · dy` when `dx` is fresh, else added to it.
  public static func backward(
    _ dy: Floats, scale: Float, into dx: Floats, isFresh: Bool, count: Int, _ workers: Workers
  ) {
    workers.run(over: count, grain: grain) { range in
      if isFresh { for i in range { dx[i] = scale * dy[i] } } else { for i in range { dx[i] += scale * dy[i] } }
    }
  }

  /// Writes `x`, `[pixels, columns]`, into these columns of `y`, `[pixels, width]`.
  public static func copy(
    _ x: Floats, toColumns columns: Range<Int>, of y: Floats, width: Int, pixels: Int, _ workers: Workers
  ) {
    workers.run(over: pixels, grain: 256) { range in
      for pixel in range {
        (y + pixel * width + columns.lowerBound).update(from: x + pixel * columns.count, count: columns.count)
      }
    }
  }

  /// Adds these columns of `dy`, `[pixels, width]`, to `dx`, `[pixels, columns]`.
  public static func add(
    columns: Range<Int>, of dy: Floats, width: Int, to dx: Floats, pixels: Int, _ workers: Workers
  ) {
    workers.run(over: pixels, grain: 256) { range in
      for pixel in range {
        let (source, target) = (dy + pixel * width + columns.lowerBound, dx + pixel * columns.count)
        for c in 0..<columns.count { target[c] += source[c] }
      }
    }
  }
}
