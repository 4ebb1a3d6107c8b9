import Kernels
import Primitives

/// The parameters of a norm over C channels, each `[C]`: `y = weight · (x − μ)/√(σ² + epsilon) + bias`.
public struct NormParameters {
  /// γ and β.
  public let weight: Parameter
  public let bias: Parameter
  /// The statistics that batch norm gathers; nil for group norm.
  public let runningMean: Parameter?
  public let runningVar: Parameter?
  /// What is added to the variance.
  public let epsilon: Float

  public init(
    weight: Parameter, bias: Parameter, runningMean: Parameter? = nil, runningVar: Parameter? = nil,
    epsilon: Float = 1e-5
  ) {
    (self.weight, self.bias, self.epsilon) = (weight, bias, epsilon)
    (self.runningMean, self.runningVar) = (runningMean, runningVar)
  }

  var channels: Int { weight.count }
  var trained: [Parameter] { [weight, bias].filter(\.isTrainable) }

  /// Those of the running mean and variance.
  var runningStatistics: [NormStatistics] {
    guard let mean = runningMean?.values, let variance = runningVar?.values else {
      bug("\(weight.name) has no running statistics")
    }
    return (0..<channels).map {
      NormStatistics(mean: Double(mean[$0]), variance: Double(variance[$0]), epsilon: epsilon)
    }
  }

  /// Adds `gradients` to the parameters that are trained.
  func addGradients(weight dWeight: [Double], bias dBias: [Double]) {
    weight.addGradient(dWeight)
    bias.addGradient(dBias)
  }
}

/// The mean and the inverse deviation of a set of values that are normalised together.
struct NormStatistics {
  let mean: Double
  let inverseDeviation: Double

  init(mean: Double, variance: Double, epsilon: Float) {
    self.mean = mean
    inverseDeviation = 1 / (variance + Double(epsilon)).squareRoot()
  }

  /// From Σ x and Σ x² over `count` values.
  init(sum: Double, sumOfSquares: Double, count: Double, epsilon: Float) {
    let mean = sum / count
    self.init(mean: mean, variance: max(0, sumOfSquares / count - mean * mean), epsilon: epsilon)
  }

  /// `scale · x + shift` = `weight · (x − μ)/σ + bias`.
  func affine(weight: Float, bias: Float) -> (scale: Float, shift: Float) {
    let scale = Double(weight) * inverseDeviation
    return (Float(scale), Float(Double(bias) - scale * mean))
  }

  /// Σ g · x̂ with x̂ = (x − μ)/σ, from Σ g and Σ g · x.
  func normalized(products: Double, sum: Double) -> Double { (products - mean * sum) * inverseDeviation }

  /// How the statistics' own dependence on x enters dx: `−(Σ γg + x̂ · Σ γg·x̂)/(count · σ)` as `b · x + c`.
  func correction(sum: Double, normalized: Double, count: Double) -> (b: Float, c: Float) {
    let b = -inverseDeviation * inverseDeviation * normalized / count
    return (Float(b), Float(-inverseDeviation * sum / count - b * mean))
  }
}

extension Tensor {
  func checkNorm(_ norm: NormParameters, residual: Tensor?) {
    require(shape.last == norm.channels, "\(norm.weight.name) of \(norm.channels) channels meets \(shape)")
    require(residual.map { $0.shape == shape } ?? true, "\(shape) and a residual \(residual?.shape ?? [])")
  }

  /// The sizes of a map `[N, H, W, C]` for the norms.
  var mapSize: MapSize {
    let pixels = shape[1..<shape.count - 1].reduce(1, *)
    return MapSize(images: shape[0], pixels: pixels, channels: shape[shape.count - 1])
  }

  /// `scale · x + shift + residual`, then ReLU if wanted, where scale and shift depend on x through its statistics.
  ///
  /// - Parameters:
  ///   - affine: for each channel, or for each image and channel.
  ///   - runsWithoutGradient: as for `Tape.record`.
  ///   - correct: given Σ g and Σ g·x, adds the gradients of the norm's parameters and returns the terms b · x + c of dx
  ///     that are due to the statistics, as many as `affine`.
  func normalized(
    by norm: NormParameters, _ affine: [(scale: Float, shift: Float)], residual: Tensor?, relu: Bool,
    runsWithoutGradient: Bool = false, correct: @escaping (ChannelSums) throws -> [(b: Float, c: Float)]
  ) -> Tensor {
    let (size, workers, scale) = (mapSize, engine.workers, affine.map(\.scale))
    let wantsGradient = needsGradient || residual?.needsGradient == true || !norm.trained.isEmpty
    let y = Tensor(shape, on: engine, needsGradient: wantsGradient)
    Normalization.affine(
      values, scale: scale, shift: affine.map(\.shift), residual: residual?.values, relu: relu, into: y.values, size,
      workers)
    guard y.needsGradient, let tape = engine.tape else { return y }
    let (dy, input) = (y.gradientSlot, needsGradient ? gradientSlot : nil)
    let dresidual = residual?.needsGradient == true ? residual?.gradientSlot : nil
    tape.record(
      y, parameters: norm.trained, reading: self, relu ? y : nil, runsWithoutGradient: runsWithoutGradient
    ) { x, mask in
      let gradient = OutputGradient(dy.isFilled ? dy.values : nil, maskedBy: mask)
      let sums = Normalization.products(
        gradient, x, residual: dy.isFilled ? dresidual?.target() : nil, size, workers)
      let correction = try correct(sums)
      guard let (dx, isFresh) = input?.target() else { return }
      Normalization.combine(
        gradient, a: scale, statistics: (x, correction.map(\.b), correction.map(\.c)), into: dx, isFresh: isFresh,
        size, workers)
    }
    return y
  }
}
