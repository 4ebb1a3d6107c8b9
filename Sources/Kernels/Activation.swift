/// ReLU, `y = max(x, 0)` and `dx = dy where y > 0`, and the biases that come with it. NaN passes through, so that a
/// diverged training shows.
public enum Activation {
  private static let grain = 1 << 15

  /// Writes `y = max(x, 0)`.
  public static func relu(_ x: Floats, into y: Floats, count: Int, _ workers: Workers) {
    workers.run(over: count, grain: grain) { range in
      for i in range { y[i] = x[i] < 0 ? 0 : x[i] }
    }
  }

  /// `dx = dy where y > 0` when `dx` is fresh, else added to it. Without `y` nothing is masked.
  public static func backward(
    _ dy: Floats, maskedBy y: Floats?, into dx: Floats, isFresh: Bool, count: Int, _ workers: Workers
  ) {
    workers.run(over: count, grain: grain) { range in
      switch (y, isFresh) {
      case (let y?, true): for i in range { dx[i] = y[i] > 0 ? dy[i] : 0 }
      case (let y?, false): for i in range { dx[i] += y[i] > 0 ? dy[i] : 0 }
      case (nil, true): (dx + range.lowerBound).update(from: dy + range.lowerBound, count: range.count)
      case (nil, false): for i in range { dx[i] += dy[i] }
      }
    }
  }

  /// `dy = dy where y > 0`, in place.
  public static func mask(_ dy: Floats, by y: Floats, count: Int, _ workers: Workers) {
    workers.run(over: count, grain: grain) { range in
      for i in range { dy[i] = y[i] > 0 ? dy[i] : 0 }
    }
  }

  /// Adds a bias to each column of `rows × columns` and applies ReLU, in place; rows are `stride` apart.
  static func apply(bias: Floats?, relu: Bool, to values: Floats, rows: Int, columns: Int, stride: Int) {
    guard bias != nil || relu else { return }
    for r in 0..<rows {
      let row = values + r * stride
      if let bias { for c in 0..<columns { row[c] += bias[c] } }
      if relu { for c in 0..<columns { row[c] = row[c] < 0 ? 0 : row[c] } }
    }
  }
}
