import Kernels

extension Tensor {
  /// Batch norm with the running statistics, as in evaluation and under mmdetection's `norm_eval`, plus a residual,
  /// then ReLU. The weight and the bias are trained if they are trainable; the statistics stay.
  public func frozenBatchNorm(_ norm: NormParameters, residual: Tensor? = nil, relu: Bool = false) -> Tensor {
    checkNorm(norm, residual: residual)
    guard let mean = norm.runningMean?.values, let variance = norm.runningVar?.values else {
      preconditionFailure("\(norm.weight.name) has no running statistics")
    }
    let statistics = (0..<norm.channels).map {
      NormStatistics(mean: Double(mean[$0]), variance: Double(variance[$0]), epsilon: norm.epsilon)
    }
    let affine = statistics.indices.map {
      statistics[$0].affine(weight: norm.weight.values[$0], bias: norm.bias.values[$0])
    }
    let scale = affine.map(\.scale)
    let wantsGradient = needsGradient || residual?.needsGradient == true || !norm.trained.isEmpty
    let y = Tensor(shape, on: engine, needsGradient: wantsGradient)
    let (size, workers) = (mapSize, engine.workers)
    Normalization.affine(
      values, scale: scale, shift: affine.map(\.shift), residual: residual?.values, relu: relu, into: y.values, size,
      workers)
    guard y.needsGradient, let tape = engine.tape else { return y }
    let residual = residual?.needsGradient == true ? residual : nil
    tape.record(y, parameters: norm.trained) { [self] in
      let gradient = OutputGradient(y.gradient, maskedBy: relu ? y.values : nil)
      let target = Tensor.residualTarget(residual)
      if !norm.trained.isEmpty {
        let sums = Normalization.products(gradient, values, residual: target, size, workers)
        norm.addFrozenGradients(sums, statistics)
      } else if let target {
        Activation.backward(
          y.gradient, maskedBy: gradient.mask, into: target.values, isFresh: target.isFresh, count: y.count, workers)
      }
      if needsGradient {
        let (dx, isFresh) = gradientTarget()
        Normalization.combine(gradient, a: scale, into: dx, isFresh: isFresh, size, workers)
      }
    }
    return y
  }
}

extension NormParameters {
  /// Adds the gradients of statistics shared by all images: dγ = Σ g·x̂, dβ = Σ g, given Σ g and Σ g·x.
  func addFrozenGradients(_ sums: ChannelSums, _ statistics: [NormStatistics]) {
    let sum = sums.overImages(channels: channels)
    addGradients(
      weight: statistics.indices.map {
        statistics[$0].normalized(products: sum.second[$0], sum: sum.first[$0])
      }, bias: sum.first)
  }
}

extension ChannelSums {
  /// Both sums over all images, `[channels]`.
  func overImages(channels: Int) -> (first: [Double], second: [Double]) {
    var total = (first: [Double](repeating: 0, count: channels), second: [Double](repeating: 0, count: channels))
    for i in first.indices {
      total.first[i % channels] += first[i]
      total.second[i % channels] += second[i]
    }
    return total
  }
}
