import Foundation

/// A number with its slopes along the four coordinates of a predicted box: arithmetic on it differentiates as it goes.
/// Where two branches tie, the second gets all of it, as in torch 1.8.
struct Dual {
  var value: Double
  var slope: SIMD4<Double>

  init(_ value: Double, slope: SIMD4<Double> = .zero) { (self.value, self.slope) = (value, slope) }

  static func + (a: Dual, b: Dual) -> Dual { Dual(a.value + b.value, slope: a.slope + b.slope) }
  static func - (a: Dual, b: Dual) -> Dual { Dual(a.value - b.value, slope: a.slope - b.slope) }
  static func * (a: Dual, b: Dual) -> Dual {
    Dual(a.value * b.value, slope: a.slope * b.value + b.slope * a.value)
  }
  static func / (a: Dual, b: Dual) -> Dual {
    Dual(a.value / b.value, slope: (a.slope - b.slope * (a.value / b.value)) / b.value)
  }
  static func + (a: Dual, b: Double) -> Dual { Dual(a.value + b, slope: a.slope) }
  static func * (a: Double, b: Dual) -> Dual { Dual(a * b.value, slope: a * b.slope) }
  static func - (a: Double, b: Dual) -> Dual { Dual(a - b.value, slope: -b.slope) }

  var squared: Dual { self * self }
  var magnitude: Dual { value < 0 ? -1 * self : value > 0 ? self : Dual(0) }

  /// As torch's `clamp`: the slope survives at the bound itself.
  func atLeast(_ bound: Double) -> Dual { value >= bound ? self : Dual(bound) }

  static func larger(_ a: Dual, _ b: Dual) -> Dual { a.value > b.value ? a : b }
  static func smaller(_ a: Dual, _ b: Dual) -> Dual { a.value < b.value ? a : b }
  static func logarithm(_ a: Dual) -> Dual { Dual(log(a.value), slope: a.slope / a.value) }
  static func arcTangent(_ a: Dual) -> Dual { Dual(atan(a.value), slope: a.slope / (1 + a.value * a.value)) }
}
