import Foundation

/// An axis of a chart: which values it covers, and where its ticks are.
package struct ChartAxis {
  package let range: ClosedRange<Double>
  package let ticks: [Double]
  private let step: Double

  /// - Parameters:
  ///   - values: what it has to cover.
  ///   - most: about how many ticks.
  ///   - isExact: whether it ends where the values do, else at a tick.
  package init(covering values: ClosedRange<Double>, most: Int = 5, isExact: Bool = false) {
    var (low, high) = (values.lowerBound, values.upperBound)
    if high - low <= abs(high) * 1e-9 { (low, high) = low == 0 ? (0, 1) : (low - abs(low) / 2, high + abs(high) / 2) }
    let step = Self.roundStep((high - low) / Double(max(1, most)))
    // Rounding must not cost a tick at an end.
    let slack = step * 1e-6
    var first = (low / step).rounded(.down)
    var last = (high / step).rounded(.up)
    if isExact {
      (first, last) = (((low - slack) / step).rounded(.up), ((high + slack) / step).rounded(.down))
      range = low...high
    } else {
      if (first + 1) * step <= low + slack { first += 1 }
      if (last - 1) * step >= high - slack { last -= 1 }
      range = first * step...max(last, first + 1) * step
    }
    ticks = first <= last ? stride(from: first, through: last, by: 1).map { $0 * step } : []
    self.step = step
  }

  /// 1, 2 or 5 times a power of ten, at least as large.
  private static func roundStep(_ step: Double) -> Double {
    let power = pow(10, log10(step).rounded(.down))
    return ([1, 2, 5].first { $0 * power >= step * (1 - 1e-9) } ?? 10) * power
  }

  /// Where a value lies, from 0 to 1; beyond them outside of the axis.
  package func part(_ value: Double) -> Double { (value - range.lowerBound) / (range.upperBound - range.lowerBound) }

  /// With as many digits as tell one tick from the next.
  package func label(_ tick: Double) -> String {
    if abs(tick) < step / 2 { return "0" }
    let largest = max(abs(range.lowerBound), abs(range.upperBound))
    if largest >= 1e6 || step < 1e-4 { return Self.short(tick) }
    return fixed(tick, max(0, Int((-log10(step * (1 + 1e-9))).rounded(.up))))
  }

  /// `2e-5`, `1.5e6`.
  private static func short(_ value: Double) -> String {
    let exponent = Int(log10(abs(value) * (1 + 1e-9)).rounded(.down))
    let digits = value / pow(10, Double(exponent))
    let isWhole = abs(digits - digits.rounded()) < 0.05
    return "\(fixed(digits, isWhole ? 0 : 1))e\(exponent)"
  }
}
