import Foundation

/// A loss of one number and its target, `value`, with the derivative with respect to the number.
public enum ElementLoss: Sendable {
  /// `-p t log σ(x) - (1 - t) log(1 - σ(x))` with p the weight of positives of the element's channel, 1 without.
  case sigmoidCrossEntropy(positiveWeights: [Float]?)
  /// `|x - t|`.
  case l1
  /// `d² / 2β` for d = |x - t| below β, else `d - β/2` (Girshick, "Fast R-CNN", equation 3).
  case smoothL1(beta: Float)
  /// `α/b (b d + 1) log(b d / β + 1) - α d` with `b = exp(γ/α) - 1` for d = |x - t| below β, else
  /// `γ d + γ/b - α β` (Pang et al., "Libra R-CNN", section 3.3; mmdetection's β).
  case balancedL1(alpha: Double, gamma: Double, beta: Double)
  /// `(x - t)²`.
  case squared
  /// `-α (1 - q)^γ log q` with q the probability given to the truth (Lin et al., "Focal loss", equation 5); α is
  /// 1 - α where the target is 0.
  case focal(alpha: Double, gamma: Double)

  /// Writes `values[i] = weights[i] · value(predictions[elements[i]], targets[i])`.
  public func forward(
    _ predictions: Floats, elements: [Int32], targets: [Float], weights: [Float], into values: Floats
  ) {
    for (i, element) in elements.enumerated() {
      let element = Int(element)
      let value = value(Double(predictions[element]), Double(targets[i]), element)
      values[i] = Float(Double(weights[i]) * value)
    }
  }

  /// Adds to `gradient` at `elements`.
  public func backward(
    _ valueGradients: Floats, _ predictions: Floats, elements: [Int32], targets: [Float], weights: [Float],
    into gradient: Floats
  ) {
    for (i, element) in elements.enumerated() {
      let element = Int(element)
      let slope = slope(Double(predictions[element]), Double(targets[i]), element)
      gradient[element] += Float(Double(valueGradients[i]) * Double(weights[i]) * slope)
    }
  }

  private func value(_ x: Double, _ t: Double, _ element: Int) -> Double {
    switch self {
    case .sigmoidCrossEntropy(let positiveWeights):
      return (1 - t) * x + Self.truthWeight(positiveWeights, t, element) * Self.softplus(-x)
    case .l1: return abs(x - t)
    case .smoothL1(let beta):
      let (distance, beta) = (abs(x - t), Double(beta))
      return distance < beta ? distance * distance / (2 * beta) : distance - beta / 2
    case .balancedL1(let alpha, let gamma, let beta):
      let (distance, b) = (abs(x - t), exp(gamma / alpha) - 1)
      guard distance < beta else { return gamma * distance + gamma / b - alpha * beta }
      return alpha / b * (b * distance + 1) * log(b * distance / beta + 1) - alpha * distance
    case .squared: return (x - t) * (x - t)
    case .focal(let alpha, let gamma):
      let (miss, balance) = (Self.sigmoid(t > 0 ? -x : x), t > 0 ? alpha : 1 - alpha)
      return balance * pow(miss, gamma) * Self.softplus(t > 0 ? -x : x)
    }
  }

  private func slope(_ x: Double, _ t: Double, _ element: Int) -> Double {
    switch self {
    case .sigmoidCrossEntropy(let positiveWeights):
      return 1 - t - Self.truthWeight(positiveWeights, t, element) * Self.sigmoid(-x)
    case .l1: return Self.sign(x - t)
    case .smoothL1(let beta):
      return abs(x - t) < Double(beta) ? (x - t) / Double(beta) : Self.sign(x - t)
    case .balancedL1(let alpha, let gamma, let beta):
      let (distance, b) = (abs(x - t), exp(gamma / alpha) - 1)
      guard distance < beta else { return gamma * Self.sign(x - t) }
      let logarithm = log(b * distance / beta + 1)
      return Self.sign(x - t) * alpha * (logarithm + (b * distance + 1) / (b * distance + beta) - 1)
    case .squared: return 2 * (x - t)
    case .focal(let alpha, let gamma):
      let z = t > 0 ? -x : x
      let (miss, balance) = (Self.sigmoid(z), t > 0 ? alpha : 1 - alpha)
      let slope = balance * pow(miss, gamma) * (gamma * (1 - miss) * Self.softplus(z) + miss)
      return t > 0 ? -slope : slope
    }
  }

  /// What multiplies `softplus(-x)` in the cross entropy: 1 + (p - 1) t.
  private static func truthWeight(_ positiveWeights: [Float]?, _ t: Double, _ element: Int) -> Double {
    guard let positiveWeights else { return 1 }
    return 1 + (Double(positiveWeights[element % positiveWeights.count]) - 1) * t
  }

  /// `log(1 + exp(x))`.
  private static func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }
  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
  private static func sign(_ x: Double) -> Double { x > 0 ? 1 : x < 0 ? -1 : 0 }
}

/// `-weight · log softmax(logits)[label]` for rows of a matrix.
public enum SoftmaxCrossEntropy {
  /// Writes `values[i]` for row `rows[i]` of `logits`, `[…, classes]`.
  public static func forward(
    _ logits: Floats, classes: Int, rows: [Int32], labels: [Int32], weights: [Float], into values: Floats
  ) {
    for (i, row) in rows.enumerated() {
      let row = logits + Int(row) * classes
      values[i] = Float(Double(weights[i]) * (logSumExp(row, classes) - Double(row[Int(labels[i])])))
    }
  }

  /// Adds `weight (softmax(logits) - onehot(label))` times the values' gradients to `gradient` at `rows`.
  public static func backward(
    _ valueGradients: Floats, _ logits: Floats, classes: Int, rows: [Int32], labels: [Int32], weights: [Float],
    into gradient: Floats
  ) {
    for (i, row) in rows.enumerated() {
      let offset = Int(row) * classes
      let factor = Double(valueGradients[i]) * Double(weights[i])
      let total = logSumExp(logits + offset, classes)
      for k in 0..<classes {
        let probability = exp(Double(logits[offset + k]) - total)
        gradient[offset + k] += Float(factor * (probability - (k == Int(labels[i]) ? 1 : 0)))
      }
    }
  }

  private static func logSumExp(_ row: Floats, _ classes: Int) -> Double {
    var largest = row[0]
    for k in 1..<max(classes, 1) { largest = max(largest, row[k]) }
    var sum = 0.0
    for k in 0..<classes { sum += exp(Double(row[k] - largest)) }
    return Double(largest) + log(sum)
  }
}
