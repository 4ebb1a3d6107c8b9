/// A linear map of Winograd's minimal filtering F(4 × 4, 3 × 3) (Lavin and Gray 2016, section 4), with the points 0, ±1,
/// ±2 and ∞, from lines of `size` numbers to lines of `outSize`. Squares are mapped by columns, then by rows:
///
///     y  = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ x B)] A        x: 6 × 6, w: 3 × 3, y: 4 × 4
///     dw = Gᵀ [(A dy Aᵀ) ⊙ (Bᵀ x B)] G
protocol WinogradTransform {
  typealias Load = (_ index: Int) -> Vector
  typealias Store = (_ index: Int, _ value: Vector) -> Void

  static var size: Int { get }
  static var outSize: Int { get }
  static func applyToLine(_ load: Load, _ store: Store)
}

/// Bᵀ.
enum InputTransform: WinogradTransform {
  static let size = 6
  static let outSize = 6

  @inline(__always)
  static func applyToLine(_ x: Load, _ store: Store) {
    let (x1, x2, x3, x4) = (x(1), x(2), x(3), x(4))
    let (even, odd) = (x4 - 4 * x2, x3 - 4 * x1)
    let (evenTwo, oddTwo) = (x4 - x2, 2 * (x3 - x1))
    store(0, 4 * x(0) - 5 * x2 + x4)
    store(1, even + odd)
    store(2, even - odd)
    store(3, evenTwo + oddTwo)
    store(4, evenTwo - oddTwo)
    store(5, 4 * x1 - 5 * x3 + x(5))
  }
}

/// G.
enum WeightTransform: WinogradTransform {
  static let size = 3
  static let outSize = 6

  @inline(__always)
  static func applyToLine(_ w: Load, _ store: Store) {
    let (w0, w1, w2) = (w(0), w(1), w(2))
    let (outer, outerTwo) = ((w0 + w2) * (-1 / 6), (w0 + 4 * w2) * (1 / 24))
    let (middle, middleTwo) = (w1 * (1 / 6), w1 * (1 / 12))
    store(0, w0 * 0.25)
    store(1, outer - middle)
    store(2, outer + middle)
    store(3, outerTwo + middleTwo)
    store(4, outerTwo - middleTwo)
    store(5, w2)
  }
}

/// Aᵀ.
enum OutputTransform: WinogradTransform {
  static let size = 6
  static let outSize = 4

  @inline(__always)
  static func applyToLine(_ m: Load, _ store: Store) {
    let (m1, m2, m3, m4) = (m(1), m(2), m(3), m(4))
    let (sum, difference) = (m1 + m2, m1 - m2)
    let (sumTwo, differenceTwo) = (m3 + m4, m3 - m4)
    store(0, m(0) + sum + sumTwo)
    store(1, difference + 2 * differenceTwo)
    store(2, sum + 4 * sumTwo)
    store(3, difference + 8 * differenceTwo + m(5))
  }
}

/// A.
enum OutputGradientTransform: WinogradTransform {
  static let size = 4
  static let outSize = 6

  @inline(__always)
  static func applyToLine(_ y: Load, _ store: Store) {
    let (y0, y1, y2, y3) = (y(0), y(1), y(2), y(3))
    let (even, odd) = (y0 + y2, y1 + y3)
    let (evenTwo, oddTwo) = (y0 + 4 * y2, 2 * y1 + 8 * y3)
    store(0, y0)
    store(1, even + odd)
    store(2, even - odd)
    store(3, evenTwo + oddTwo)
    store(4, evenTwo - oddTwo)
    store(5, y3)
  }
}

/// Gᵀ.
enum WeightGradientTransform: WinogradTransform {
  static let size = 6
  static let outSize = 3

  @inline(__always)
  static func applyToLine(_ m: Load, _ store: Store) {
    let (m1, m2, m3, m4) = (m(1), m(2), m(3), m(4))
    let (sum, difference) = (m1 + m2, m2 - m1)
    let (sumTwo, differenceTwo) = (m3 + m4, m3 - m4)
    let first: Vector = m(0) * 0.25 - sum * (1 / 6)
    store(0, first + sumTwo * (1 / 24))
    store(1, difference * (1 / 6) + differenceTwo * (1 / 12))
    store(2, (sumTwo - sum) * (1 / 6) + m(5))
  }
}

extension WinogradTransform {
  /// Maps a square whose vectors are numbered row by row. `middle` has room for 36, the square in between.
  @inline(__always)
  static func apply(_ middle: UnsafeMutablePointer<Vector>, load: Load, store: Store) {
    for j in 0..<size {
      applyToLine({ load($0 * size + j) }, { middle[$0 * size + j] = $1 })
    }
    for i in 0..<outSize {
      applyToLine({ middle[i * size + $0] }, { store(i * outSize + $0, $1) })
    }
  }

  /// Lends the memory that `apply` takes, more than the compiler puts on the stack.
  @inline(__always)
  static func withMiddle(_ body: (UnsafeMutablePointer<Vector>) -> Void) {
    withUnsafeTemporaryAllocation(of: Vector.self, capacity: 36) { body($0.baseAddress!) }
  }
}
