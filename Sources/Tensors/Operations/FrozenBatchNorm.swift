import Kernels

extension Tensor {
  /// Batch norm with the running statistics, as in evaluation and under mmdetection's `norm_eval`, plus a residual,
  /// then ReLU. The weight and the bias are trained if they are trainable; the statistics stay.
  public func frozenBatchNorm(_ norm: NormParameters, residual: Tensor? = nil, relu: Bool = false) -> Tensor {
    checkNorm(norm, residual: residual)
    let statistics = norm.runningStatistics
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
    let (dy, dx) = (y.gradientSlot, needsGradient ? gradientSlot : nil)
    let dresidual = residual?.needsGradient == true ? residual?.gradientSlot : nil
    let (input, output) = (norm.trained.isEmpty ? nil : self, relu ? y : nil)
    tape.record(y, parameters: norm.trained) {
      let gradient = OutputGradient(dy.values, maskedBy: output?.values)
      let target = dresidual?.target()
      if let input {
        let sums = Normalization.products(gradient, input.values, residual: target, size, workers)
        norm.addFrozenGradients(sums, statistics)
      } else if let target {
        Activation.backward(
          dy.values, maskedBy: gradient.mask, into: target.values, isFresh: target.isFresh, count: dy.count, workers)
      }
      if let (values, isFresh) = dx?.target() {
        Normalization.combine(gradient, a: scale, into: values, isFresh: isFresh, size, workers)
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
