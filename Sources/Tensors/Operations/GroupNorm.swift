import Kernels
import Primitives

extension Tensor {
  /// Group norm (Wu and He 2018) of a map `[N, H, W, C]`: the statistics are those of each image and of each of `groups`
  /// runs of neighbouring channels, of which C is a multiple. Plus a residual of the same shape, then ReLU.
  public func groupNorm(
    _ norm: NormParameters, groups: Int, residual: Tensor? = nil, relu: Bool = false
  ) -> Tensor {
    checkNorm(norm, residual: residual)
    require(norm.channels % groups == 0, "\(norm.channels) channels can't be cut into \(groups) groups")
    let (size, workers) = (mapSize, engine.workers)
    let grouping = Grouping(size: size, groups: groups)
    let statistics = grouping.statistics(Normalization.moments(values, size, workers), epsilon: norm.epsilon)
    let affine = (0..<size.images * size.channels).map { i in
      let c = i % size.channels
      return statistics[grouping.group(of: i)].affine(weight: norm.weight.values[c], bias: norm.bias.values[c])
    }
    return normalized(by: norm, affine, residual: residual, relu: relu) { sums in
      grouping.backward(sums, statistics, norm)
    }
  }
}

/// The groups of all images, numbered image by image. Sums and coefficients stand as `[images, channels]`.
private struct Grouping {
  let size: MapSize
  let groups: Int

  private var channelsPerGroup: Int { size.channels / groups }
  private var valuesPerGroup: Double { Double(channelsPerGroup * size.pixels) }

  /// The group of element i of `[images, channels]`.
  func group(of i: Int) -> Int { i / channelsPerGroup }

  func statistics(_ moments: ChannelSums, epsilon: Float) -> [NormStatistics] {
    (0..<size.images * groups).map { group in
      let members = group * channelsPerGroup..<(group + 1) * channelsPerGroup
      return NormStatistics(
        sum: moments.first[members].reduce(0, +), sumOfSquares: moments.second[members].reduce(0, +),
        count: valuesPerGroup, epsilon: epsilon)
    }
  }

  /// Adds the parameters' gradients and returns the terms of dx through the statistics.
  func backward(
    _ products: ChannelSums, _ statistics: [NormStatistics], _ norm: NormParameters
  ) -> [(b: Float, c: Float)] {
    var (dWeight, dBias) = ([Double](repeating: 0, count: size.channels), [Double](repeating: 0, count: size.channels))
    let zeros = [Double](repeating: 0, count: statistics.count)
    var (sum, normalized) = (zeros, zeros)
    for i in 0..<size.images * size.channels {
      let (c, group) = (i % size.channels, group(of: i))
      let gamma = Double(norm.weight.values[c])
      let term = statistics[group].normalized(products: products.second[i], sum: products.first[i])
      dWeight[c] += term
      dBias[c] += products.first[i]
      sum[group] += gamma * products.first[i]
      normalized[group] += gamma * term
    }
    norm.addGradients(weight: dWeight, bias: dBias)
    return (0..<size.images * size.channels).map { i in
      let group = group(of: i)
      return statistics[group].correction(sum: sum[group], normalized: normalized[group], count: valuesPerGroup)
    }
  }
}
