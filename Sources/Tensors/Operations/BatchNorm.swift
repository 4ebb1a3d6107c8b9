import Kernels

extension Tensor {
  /// Batch norm with the statistics of this batch (Ioffe and Szegedy 2015), plus a residual, then ReLU. Moves the
  /// running statistics a tenth of the way to the batch's mean and unbiased variance.
  ///
  /// With a `synchronizer` the statistics are those of all ranks' batches (SyncBN): one sum over ranks in the forward
  /// pass and one in the backward pass, where it takes place even if nothing flowed back on this rank. The gradients
  /// of weight and bias remain this rank's share.
  public func batchNorm(
    _ norm: NormParameters, residual: Tensor? = nil, relu: Bool = false,
    synchronizer: (any StatisticsSynchronizer)? = nil
  ) throws -> Tensor {
    checkNorm(norm, residual: residual)
    let (size, workers) = (mapSize, engine.workers)
    let (statistics, total) = try norm.batchStatistics(
      Normalization.moments(values, size, workers), pixels: size.images * size.pixels, synchronizer)
    let affine = statistics.indices.map {
      statistics[$0].affine(weight: norm.weight.values[$0], bias: norm.bias.values[$0])
    }
    return normalized(
      by: norm, affine, residual: residual, relu: relu, runsWithoutGradient: synchronizer != nil
    ) { sums in
      norm.addBatchGradients(sums, statistics)
      return try norm.batchCorrection(sums, statistics, total: total, synchronizer)
    }
  }
}

extension NormParameters {
  private static let momentum = 0.1

  /// The statistics of each channel and the number of values behind them, over all ranks if synchronised.
  fileprivate func batchStatistics(
    _ moments: ChannelSums, pixels: Int, _ synchronizer: (any StatisticsSynchronizer)?
  ) throws -> (statistics: [NormStatistics], count: Double) {
    let local = moments.overImages(channels: channels)
    var sums = local.first + local.second + [Double(pixels)]
    try synchronizer?.sum(&sums)
    let count = max(1, sums[2 * channels])
    // A batch of no regions leaves the running statistics.
    for c in 0..<channels where sums[2 * channels] > 0 {
      updateRunning(c, sum: sums[c], sumOfSquares: sums[channels + c], count: count)
    }
    let statistics = (0..<channels).map {
      NormStatistics(sum: sums[$0], sumOfSquares: sums[channels + $0], count: count, epsilon: epsilon)
    }
    return (statistics, count)
  }

  /// Adds the gradients of statistics shared by all images: dγ = Σ g·x̂, dβ = Σ g, given Σ g and Σ g·x.
  fileprivate func addBatchGradients(_ sums: ChannelSums, _ statistics: [NormStatistics]) {
    let sum = sums.overImages(channels: channels)
    addGradients(
      weight: statistics.indices.map {
        statistics[$0].normalized(products: sum.second[$0], sum: sum.first[$0])
      }, bias: sum.first)
  }

  private func updateRunning(_ c: Int, sum: Double, sumOfSquares: Double, count: Double) {
    let mean = sum / count
    let unbiased = max(0, sumOfSquares - sum * mean) / max(1, count - 1)
    for (parameter, value) in [(runningMean, mean), (runningVar, unbiased)] {
      guard let running = parameter?.values else { continue }
      running[c] = Float((1 - Self.momentum) * Double(running[c]) + Self.momentum * value)
    }
  }

  /// The terms of dx through the statistics, for each channel.
  fileprivate func batchCorrection(
    _ products: ChannelSums, _ statistics: [NormStatistics], total: Double,
    _ synchronizer: (any StatisticsSynchronizer)?
  ) throws -> [(b: Float, c: Float)] {
    let local = products.overImages(channels: channels)
    var sums = local.first + local.second
    try synchronizer?.sum(&sums)
    return (0..<channels).map { c in
      let gamma = Double(weight.values[c])
      let normalized = statistics[c].normalized(products: sums[channels + c], sum: sums[c])
      return statistics[c].correction(sum: gamma * sums[c], normalized: gamma * normalized, count: total)
    }
  }
}

extension ChannelSums {
  /// Both sums over all images, `[channels]`.
  fileprivate func overImages(channels: Int) -> (first: [Double], second: [Double]) {
    var total = (first: [Double](repeating: 0, count: channels), second: [Double](repeating: 0, count: channels))
    for i in first.indices {
      total.first[i % channels] += first[i]
      total.second[i % channels] += second[i]
    }
    return total
  }
}
