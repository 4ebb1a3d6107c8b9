/// ReLU: `y = max(x, 0)` and `dx = dy where y > 0`. NaN passes through, so that a diverged training shows.
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
}
