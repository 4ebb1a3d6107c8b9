import Kernels

extension Tensor {
  /// A convolution, batch norm with the running statistics (as in evaluation and under mmdetection's `norm_eval`), the
  /// sum with a residual and ReLU in one pass over the map: the norm is affine, so that it goes into the convolution's
  /// epilogue, `y = γ/σ · s + β − μ γ/σ`, and s is never kept. Its gradients come out exactly all the same:
  ///
  ///     dβ = Σ g        dγ = (Σ g s − μ dβ)/σ        Σ g s = ⟨Σ g ⊗ x, w⟩ for each output channel
  ///
  /// - Parameters:
  ///   - weight: `[out, in, kernelHeight, kernelWidth]` in `ParameterLayout.convolution`.
  ///   - residual: added before ReLU; of the output's shape.
  /// - Returns: `[N, outHeight, outWidth, out]`.
  public func convolution(
    _ weight: Parameter, frozenNorm norm: NormParameters, stride: Int = 1, padding: Int = 0,
    residual: Tensor? = nil, relu: Bool = false
  ) -> Tensor {
    let folded = FoldedNorm(norm, engine.pool)
    let (sizes, workers) = (convolutionShape(weight, stride: stride, padding: padding), engine.workers)
    let outShape = [shape[0], sizes.outHeight, sizes.outWidth, sizes.outChannels]
    precondition(residual.map { $0.shape == outShape } ?? true, "\(outShape) and a residual \(residual?.shape ?? [])")
    let trained = (weight.isTrainable ? [weight] : []) + norm.trained
    let wantsGradient = needsGradient || residual?.needsGradient == true || !trained.isEmpty
    let y = Tensor(outShape, on: engine, needsGradient: wantsGradient)
    let epilogue = ConvolutionEpilogue(
      scale: folded.scale, shift: folded.shift, residual: residual?.values, relu: relu)
    Convolution.forward(values, weight.values, epilogue, into: y.values, sizes, workers)
    guard y.needsGradient, let tape = engine.tape else { return y }
    let dy = y.gradientSlot
    let dresidual = residual?.needsGradient == true ? residual?.gradientSlot : nil
    let (input, output) = (trained.isEmpty ? nil : self, relu ? y : nil)
    if needsGradient { tape.recordInputGradient(gradientSlot, from: y, weight, sizes, workers) }
    tape.record(y, parameters: trained) {
      let sums = ConvolutionEpilogue.backward(
        dy.values, relu: output?.values, scale: folded.divisor, residual: dresidual?.target(), rows: sizes.outPixels,
        columns: sizes.outChannels, workers)
      if let input { folded.addGradients(input, dy.values, weight, sums, sizes) }
      folded.finishScaling(dy.values, rows: sizes.outPixels, workers)
    }
    return y
  }
}

/// A norm with fixed statistics as the scale and the shift of a convolution's sums.
private struct FoldedNorm {
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

  /// γ/σ, the product of `divisor`, which isn't zero, and `rest`.
  var scale: Floats { coefficients.values }
  var shift: Floats { coefficients.values + norm.channels }
  var divisor: Floats { coefficients.values + 2 * norm.channels }
  private var rest: Floats { coefficients.values + 3 * norm.channels }

  /// - Parameters:
  ///   - ds: `divisor` · g.
  ///   - sums: Σ g of each channel.
  func addGradients(
    _ input: Tensor, _ ds: Floats, _ weight: Parameter, _ sums: [Double], _ sizes: ConvolutionShape
  ) {
    let workers = input.engine.workers
    let contribution = input.engine.pool.buffer(weight.count)
    workers.clear(contribution.values, count: weight.count)
    Convolution.backwardWeight(input.values, ds, addingTo: contribution.values, sizes, workers)
    let products = ConvolutionEpilogue.addWeightGradient(
      contribution.values, weight.values, factors: rest, addingTo: weight.isTrainable ? weight.gradient : nil,
      outChannels: sizes.outChannels, depth: weight.count / sizes.outChannels, workers)
    norm.weight.addGradient(
      statistics.indices.map { statistics[$0].normalized(products: products[$0] / Double(divisor[$0]), sum: sums[$0]) })
    norm.bias.addGradient(sums)
  }

  /// Turns `divisor` · g into γ/σ · g.
  func finishScaling(_ ds: Floats, rows: Int, _ workers: Workers) {
    guard hasZeroScale else { return }
    let channels = norm.channels
    workers.run(over: rows, grain: 64) { rows in
      for row in rows { for c in 0..<channels { ds[row * channels + c] *= rest[c] } }
    }
  }
}
