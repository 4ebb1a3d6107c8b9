import Kernels

extension Tensor {
  /// A convolution, batch norm with the running statistics (as in evaluation and under mmdetection's `norm_eval`), the
  /// sum with a residual and ReLU in one pass over the map: the norm is affine, so that it goes into the convolution's
  /// epilogue, `y = γ/σ · s + β − μ γ/σ`, and s is never kept. Its gradients come out exactly all the same:
  ///
  ///     dβ = Σ g        dγ = (Σ g s − μ dβ)/σ        Σ g s = ⟨Σ g ⊗ x, w⟩ for each output channel
  ///
  /// - Parameters:
  ///   - weight: `[out, in / groups, kernelHeight, kernelWidth]`.
  ///   - norm: γ, β, μ and σ² of each output channel.
  ///   - geometry: stride, padding, dilation and groups.
  ///   - residual: added before ReLU; of the output's shape.
  ///   - relu: whether the output is cut at zero.
  /// - Returns: `[N, outHeight, outWidth, out]`.
  public func convolution(
    _ weight: ConvolutionWeight, frozenNorm norm: NormParameters, _ geometry: ConvolutionGeometry,
    residual: Tensor? = nil, relu: Bool = false
  ) -> Tensor {
    let sizes = convolutionShape(weight, geometry)
    return convolution(
      weight, FoldedNorm(norm, engine.pool), residual: residual, relu: relu, sizes, into: mapShape(sizes))
  }

  /// As above with a parameter; `padding` zeros on each side.
  public func convolution(
    _ weight: Parameter, frozenNorm norm: NormParameters, stride: Int = 1, padding: Int = 0,
    residual: Tensor? = nil, relu: Bool = false
  ) -> Tensor {
    convolution(
      ConvolutionWeight(weight), frozenNorm: norm, ConvolutionGeometry(stride: stride, padding: padding),
      residual: residual, relu: relu)
  }
}

/// A norm with fixed statistics as the scale and the shift of a convolution's sums.
private struct FoldedNorm: ConvolutionAffine {
  private let norm: NormParameters
  private let statistics: [NormStatistics]
  private let coefficients: Buffer
  /// Whether a scale is zero (`zero_init_residual`), or so small that dividing by it loses digits. Σ g s can't be had
  /// from γ/σ · g then, so that such a channel's g is scaled by 1 until its dγ is known.
  private let hasZeroScale: Bool

  init(_ norm: NormParameters, _ pool: BufferPool) {
    self.norm = norm
    statistics = norm.runningStatistics
    let (channels, coefficients) = (norm.channels, pool.buffer(4 * norm.channels))
    let values = coefficients.values
    var hasZeroScale = false
    for (c, statistics) in statistics.enumerated() {
      let (scale, shift) = statistics.affine(weight: norm.weight.values[c], bias: norm.bias.values[c])
      let isZero = abs(scale) < 1e-18
      hasZeroScale = hasZeroScale || isZero
      (values[c], values[channels + c]) = (scale, shift)
      (values[2 * channels + c], values[3 * channels + c]) = isZero ? (1, scale) : (scale, 1)
    }
    (self.coefficients, self.hasZeroScale) = (coefficients, hasZeroScale)
  }

  var trained: [Parameter] { norm.trained }
  var needsWeightGradient: Bool { !norm.trained.isEmpty }

  /// γ/σ, the product of `divisor`, which isn't zero, and `rest`.
  var scale: Floats? { coefficients.values }
  var shift: Floats? { coefficients.values + norm.channels }
  var divisor: Floats? { divisors }
  private var divisors: Floats { coefficients.values + 2 * norm.channels }
  private var rest: Floats { coefficients.values + 3 * norm.channels }

  func addGradients(
    _ x: Floats?, ds: Floats, sums: [Double], _ weight: Floats, _ learned: ConvolutionWeight.Learned,
    _ sizes: ConvolutionShape, on engine: Engine
  ) {
    if let x { addGradients(x, ds, sums, weight, learned, sizes, engine) }
    finishScaling(ds, rows: sizes.outPixels, engine.workers)
  }

  private func addGradients(
    _ x: Floats, _ ds: Floats, _ sums: [Double], _ weight: Floats, _ learned: ConvolutionWeight.Learned,
    _ sizes: ConvolutionShape, _ engine: Engine
  ) {
    let (workers, gradient) = (engine.workers, learned.gradient)
    let contribution = engine.pool.buffer(learned.count)
    let products = withExtendedLifetime(contribution) {
      workers.clear(contribution.values, count: learned.count)
      Convolution.backwardWeight(x, ds, addingTo: contribution.values, sizes, workers)
      return ConvolutionEpilogue.addWeightGradient(
        contribution.values, weight, factors: rest, addingTo: gradient, outChannels: sizes.outChannels,
        depth: learned.count / sizes.outChannels, workers)
    }
    norm.addGradients(
      weight: statistics.indices.map {
        statistics[$0].normalized(products: products[$0] / Double(divisors[$0]), sum: sums[$0])
      }, bias: sums)
  }

  /// Turns `divisor` · g into γ/σ · g.
  private func finishScaling(_ ds: Floats, rows: Int, _ workers: Workers) {
    guard hasZeroScale else { return }
    let channels = norm.channels
    workers.run(over: rows, grain: 64) { rows in
      for row in rows { for c in 0..<channels { ds[row * channels + c] *= rest[c] } }
    }
  }
}
