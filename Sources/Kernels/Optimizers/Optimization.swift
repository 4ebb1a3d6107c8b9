import Foundation

/// One step of stochastic gradient descent as torch's `SGD`:
///
///     d = gradient + weightDecay · value
///     momentum = momentumFactor · momentum + (1 - dampening) · d      (d itself in the very first step)
///     value -= rate · (nesterov ? d + momentumFactor · momentum : momentum)
public struct SGDStep: Sendable {
  /// The learning rate.
  public var rate: Float
  /// The factor of the momenta; 0: there are none.
  public var momentum: Float
  /// 1 - dampening; 1 in the very first step.
  public var intake: Float
  /// The factor of the values that is added to their gradients.
  public var weightDecay: Float
  /// Whether a step looks ahead along the momentum.
  public var nesterov: Bool

  public init(rate: Float, momentum: Float, intake: Float, weightDecay: Float, nesterov: Bool) {
    (self.rate, self.momentum, self.intake) = (rate, momentum, intake)
    (self.weightDecay, self.nesterov) = (weightDecay, nesterov)
  }

  /// Updates `count` values in place. Where `momentum` is 0 there need be no `momenta`.
  public func update(_ values: Floats, _ gradients: Floats, _ momenta: Floats?, _ count: Int, _ workers: Workers) {
    workers.run(over: count, grain: 1 << 16) { range in
      let first = range.lowerBound
      update(values + first, gradients + first, momenta.map { $0 + first }, range.count)
    }
  }

  private func update(_ values: Floats, _ gradients: Floats, _ momenta: Floats?, _ count: Int) {
    guard momentum != 0, let momenta else {
      for i in 0..<count { values[i] -= rate * (gradients[i] + weightDecay * values[i]) }
      return
    }
    let (own, carried): (Float, Float) = nesterov ? (1, momentum) : (0, 1)
    for i in 0..<count {
      let d = gradients[i] + weightDecay * values[i]
      let kept = momentum * momenta[i] + intake * d
      momenta[i] = kept
      values[i] -= rate * (own * d + carried * kept)
    }
  }
}

/// Norms of long vectors, in double precision; the bits don't depend on the number of threads.
public enum VectorNorm {
  /// `(Σ |x|^p)^(1/p)`, or the largest |x| for p = ∞.
  public static func norm(_ values: Floats, _ count: Int, p: Double, _ workers: Workers) -> Double {
    let grain = 1 << 16
    var parts = [Double](repeating: 0, count: (count + grain - 1) / grain)
    parts.withUnsafeMutableBufferPointer { parts in
      let parts = parts.baseAddress
      workers.run(over: count, grain: grain) { range in
        parts![range.lowerBound / grain] = part(values + range.lowerBound, range.count, p)
      }
    }
    if p == .infinity { return parts.reduce(0) { $0.isNaN || $1.isNaN ? .nan : max($0, $1) } }
    let sum = parts.reduce(0, +)
    return p == 2 ? sum.squareRoot() : pow(sum, 1 / p)
  }

  private static func part(_ values: Floats, _ count: Int, _ p: Double) -> Double {
    switch p {
    case 2: return sumOfSquares(values, count)
    case .infinity:
      var largest = 0.0
      for i in 0..<count {
        if values[i].isNaN { return .nan }
        largest = max(largest, Double(abs(values[i])))
      }
      return largest
    default:
      var sum = 0.0
      for i in 0..<count { sum += pow(Double(abs(values[i])), p) }
      return sum
    }
  }

  /// Eight sums side by side: one alone would wait for each addition.
  private static func sumOfSquares(_ values: Floats, _ count: Int) -> Double {
    var sums = SIMD8<Double>.zero
    let whole = count / 8 * 8
    for i in stride(from: 0, to: whole, by: 8) {
      let block = SIMD8<Double>(UnsafeRawPointer(values + i).loadUnaligned(as: SIMD8<Float>.self))
      sums += block * block
    }
    var sum = sums.sum()
    for i in whole..<count { sum += Double(values[i]) * Double(values[i]) }
    return sum
  }

  /// Multiplies `count` values by `factor`.
  public static func scale(_ values: Floats, _ count: Int, by factor: Float, _ workers: Workers) {
    workers.run(over: count, grain: 1 << 16) { range in
      for i in range { values[i] *= factor }
    }
  }
}
