/// Sixteen neighbouring channels.
typealias Vector = SIMD16<Float>

extension UnsafeMutablePointer<Float> {
  /// The vector that starts here, at any alignment.
  @inline(__always)
  var vector: Vector {
    get { UnsafeRawPointer(self).loadUnaligned(as: Vector.self) }
    nonmutating set { UnsafeMutableRawPointer(self).storeBytes(of: newValue, as: Vector.self) }
  }
}

/// The five linear maps of Winograd's minimal filtering F(4 × 4, 3 × 3) (Lavin and Gray 2016, section 4), with the
/// points 0, ±1, ±2 and ∞. Each maps a line; `apply` maps the columns of a square and then its rows.
///
///     y  = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ x B)] A        x: 6 × 6, w: 3 × 3, y: 4 × 4
///     dw = Gᵀ [(A dy Aᵀ) ⊙ (Bᵀ x B)] G
enum WinogradTransform {
  typealias Line = UnsafeMutablePointer<Vector>

  /// Bᵀ: 6 → 6.
  @inline(__always)
  static func input(_ x: Line, _ out: Line) {
    let (even, odd) = (x[4] - 4 * x[2], x[3] - 4 * x[1])
    let (evenTwo, oddTwo) = (x[4] - x[2], 2 * (x[3] - x[1]))
    out[0] = 4 * x[0] - 5 * x[2] + x[4]
    out[1] = even + odd
    out[2] = even - odd
    out[3] = evenTwo + oddTwo
    out[4] = evenTwo - oddTwo
    out[5] = 4 * x[1] - 5 * x[3] + x[5]
  }

  /// G: 3 → 6.
  @inline(__always)
  static func weight(_ w: Line, _ out: Line) {
    let (outer, outerTwo) = ((w[0] + w[2]) * (-1 / 6), (w[0] + 4 * w[2]) * (1 / 24))
    let (middle, middleTwo) = (w[1] * (1 / 6), w[1] * (1 / 12))
    out[0] = w[0] * 0.25
    out[1] = outer - middle
    out[2] = outer + middle
    out[3] = outerTwo + middleTwo
    out[4] = outerTwo - middleTwo
    out[5] = w[2]
  }

  /// Aᵀ: 6 → 4.
  @inline(__always)
  static func output(_ m: Line, _ out: Line) {
    let (sum, difference) = (m[1] + m[2], m[1] - m[2])
    let (sumTwo, differenceTwo) = (m[3] + m[4], m[3] - m[4])
    out[0] = m[0] + sum + sumTwo
    out[1] = difference + 2 * differenceTwo
    out[2] = sum + 4 * sumTwo
    out[3] = difference + 8 * differenceTwo + m[5]
  }

  /// A: 4 → 6.
  @inline(__always)
  static func outputGradient(_ y: Line, _ out: Line) {
    let (even, odd) = (y[0] + y[2], y[1] + y[3])
    let (evenTwo, oddTwo) = (y[0] + 4 * y[2], 2 * y[1] + 8 * y[3])
    out[0] = y[0]
    out[1] = even + odd
    out[2] = even - odd
    out[3] = evenTwo + oddTwo
    out[4] = evenTwo - oddTwo
    out[5] = y[3]
  }

  /// Gᵀ: 6 → 3.
  @inline(__always)
  static func weightGradient(_ m: Line, _ out: Line) {
    let (sum, difference) = (m[1] + m[2], m[2] - m[1])
    let (sumTwo, differenceTwo) = (m[3] + m[4], m[3] - m[4])
    out[0] = m[0] * 0.25 - sum * (1 / 6) + sumTwo * (1 / 24)
    out[1] = difference * (1 / 6) + differenceTwo * (1 / 12)
    out[2] = (sumTwo - sum) * (1 / 6) + m[5]
  }

  /// Maps a square of `size` × `size` vectors, numbered row by row, to one of `outSize` × `outSize`.
  @inline(__always)
  static func apply(
    _ map: (Line, Line) -> Void, size: Int, outSize: Int, load: (Int) -> Vector, store: (Int, Vector) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: Vector.self, capacity: 48) { buffer in
      let middle = buffer.baseAddress!
      let (line, out) = (middle + 36, middle + 42)
      for j in 0..<size {
        for i in 0..<size { line[i] = load(i * size + j) }
        map(line, out)
        for i in 0..<outSize { middle[i * size + j] = out[i] }
      }
      for i in 0..<outSize {
        map(middle + i * size, out)
        for j in 0..<outSize { store(i * outSize + j, out[j]) }
      }
    }
  }
}
