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

/// One channel, or sixteen neighbouring ones.
protocol Channels {
  init(at start: Floats)
  func write(to start: Floats)
  static func + (a: Self, b: Self) -> Self
  static func * (a: Self, b: Self) -> Self
  /// Zero where negative; NaN stays.
  var cutAtZero: Self { get }
}

extension Float: Channels {
  @inline(__always) init(at start: Floats) { self = start[0] }
  @inline(__always) func write(to start: Floats) { start[0] = self }
  @inline(__always) var cutAtZero: Float { self < 0 ? 0 : self }
}

extension SIMD16: Channels where Scalar == Float {
  @inline(__always) init(at start: Floats) { self = start.vector }
  @inline(__always) func write(to start: Floats) { start.vector = self }
  @inline(__always) var cutAtZero: Vector { replacing(with: 0, where: self .< 0) }
}
