/// One step of Adam as torch 1.8's `Adam` and `AdamW` (Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019,
/// algorithm 2), t being the number of this step, from 1 on:
///
///     d = gradient + weightDecay · value                         (Adam)
///     value *= 1 - rate · weightDecay                            (AdamW, where d is the gradient)
///     first  = beta1 · first + (1 - beta1) · d
///     second = beta2 · second + (1 - beta2) · d²
///     value -= rate / (1 - beta1ᵗ) · first / (√second / √(1 - beta2ᵗ) + epsilon)
///
/// With `amsgrad` the largest `second` so far stands in the last line (Reddi et al. 2018).
public struct AdamStep: Sendable {
  private let beta1: Float
  private let beta2: Float
  private let intake1: Float
  private let intake2: Float
  private let epsilon: Float
  /// rate / (1 - beta1ᵗ).
  private let rate: Float
  /// 1 / √(1 - beta2ᵗ).
  private let correction: Float
  /// What a gradient gets of its value.
  private let addedDecay: Float
  /// What is left of a value.
  private let kept: Float

  /// - Parameters:
  ///   - rate: the learning rate.
  ///   - betas: what is kept of the first and of the second moment.
  ///   - epsilon: added to the root of the second moment.
  ///   - weightDecay: the share of a value that its gradient gets; with `decouplesDecay` the value loses rate times it.
  ///   - decouplesDecay: AdamW.
  ///   - number: of this step, from 1 on.
  public init(
    rate: Double, betas: (Double, Double), epsilon: Double, weightDecay: Double, decouplesDecay: Bool, number: Int
  ) {
    (beta1, beta2) = (Float(betas.0), Float(betas.1))
    (intake1, intake2) = (Float(1 - betas.0), Float(1 - betas.1))
    self.epsilon = Float(epsilon)
    self.rate = Float(rate / (1 - Self.power(betas.0, number)))
    correction = Float(1 / (1 - Self.power(betas.1, number)).squareRoot())
    addedDecay = decouplesDecay ? 0 : Float(weightDecay)
    kept = decouplesDecay ? Float(1 - rate * weightDecay) : 1
  }

  /// By squaring, so that its bits don't depend on a library.
  private static func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, factor, rest) = (1.0, base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result *= factor }
      (factor, rest) = (factor * factor, rest >> 1)
    }
    return result
  }

  /// Updates `count` values and their moments in place.
  /// - Parameters:
  ///   - values: `[count]`.
  ///   - gradients: `[count]`; they stay.
  ///   - first: the first moments, `[count]`.
  ///   - second: the second moments, `[count]`.
  ///   - largest: the largest second moments so far, `[count]`, with `amsgrad`; else nil.
  ///   - count: the number of values.
  ///   - workers: the threads that share them.
  public func update(
    _ values: Floats, _ gradients: Floats, _ first: Floats, _ second: Floats, largest: Floats?, _ count: Int,
    _ workers: Workers
  ) {
    workers.run(over: count, grain: 1 << 16) { range in
      let start = range.lowerBound
      let (values, gradients) = (values + start, gradients + start)
      let (first, second) = (first + start, second + start)
      if let largest {
        update(values, gradients, first, second, largest: largest + start, range.count)
      } else {
        update(values, gradients, first, second, range.count)
      }
    }
  }

  private func update(_ values: Floats, _ gradients: Floats, _ first: Floats, _ second: Floats, _ count: Int) {
    for i in 0..<count {
      let square = moments(i, values, gradients, first, second)
      values[i] = values[i] * kept - rate * (first[i] / (square.squareRoot() * correction + epsilon))
    }
  }

  private func update(
    _ values: Floats, _ gradients: Floats, _ first: Floats, _ second: Floats, largest: Floats, _ count: Int
  ) {
    for i in 0..<count {
      let square = max(largest[i], moments(i, values, gradients, first, second))
      largest[i] = square
      values[i] = values[i] * kept - rate * (first[i] / (square.squareRoot() * correction + epsilon))
    }
  }

  /// - Returns: the mean of the squares.
  @inline(__always)
  private func moments(
    _ i: Int, _ values: Floats, _ gradients: Floats, _ first: Floats, _ second: Floats
  ) -> Float {
    let d = gradients[i] + addedDecay * values[i]
    first[i] = beta1 * first[i] + intake1 * d
    second[i] = beta2 * second[i] + intake2 * d * d
    return second[i]
  }
}

/// A running mean of values as mmcv's `EMAHook`.
public enum RunningMean {
  /// `mean = (1 - momentum) · mean + momentum · value`, in place.
  public static func update(_ means: Floats, _ values: Floats, _ count: Int, momentum: Double, _ workers: Workers) {
    let (kept, taken) = (Float(1 - momentum), Float(momentum))
    workers.run(over: count, grain: 1 << 16) { range in
      for i in range { means[i] = kept * means[i] + taken * values[i] }
    }
  }
}
