/// Weight standardisation (Qiao et al., 2019) as mmcv's `ConvWS2d` does it: of the n weights of each output,
///
///     v = w − mean(w)        s = √(Σ v² / (n − 1))        ŵ = v / (s + epsilon)
///     dw = (g − mean(g)) / (s + epsilon) − v · Σ g v / (s (n − 1) (s + epsilon)²)        g = dŵ
///
/// Where all weights of an output are equal, s is 0 and has no derivative; the second term is left out there.
public enum WeightStandardization {
  private static let epsilon = 1e-5

  /// Writes ŵ; both are `[out, depth]`.
  public static func forward(_ weight: Floats, into result: Floats, outChannels: Int, depth: Int, _ workers: Workers) {
    workers.run(over: outChannels, grain: 8) { outputs in
      for o in outputs {
        let (row, target) = (weight + o * depth, result + o * depth)
        let (mean, deviation) = statistics(row, depth)
        let factor = 1 / (deviation + epsilon)
        for i in 0..<depth { target[i] = Float((Double(row[i]) - mean) * factor) }
      }
    }
  }

  /// Adds to the gradient of the weights what follows from `gradient`, that of ŵ; all are `[out, depth]`.
  public static func backward(
    _ gradient: Floats, _ weight: Floats, addingTo target: Floats, outChannels: Int, depth: Int, _ workers: Workers
  ) {
    workers.run(over: outChannels, grain: 8) { outputs in
      for o in outputs {
        let (g, row, sums) = (gradient + o * depth, weight + o * depth, target + o * depth)
        let (mean, deviation) = statistics(row, depth)
        let factor = 1 / (deviation + epsilon)
        var (sum, product) = (0.0, 0.0)
        for i in 0..<depth {
          sum += Double(g[i])
          product += Double(g[i]) * (Double(row[i]) - mean)
        }
        let along = deviation > 0 ? product * factor * factor / (deviation * Double(depth - 1)) : 0
        let gradientMean = sum / Double(depth)
        for i in 0..<depth {
          sums[i] += Float((Double(g[i]) - gradientMean) * factor - (Double(row[i]) - mean) * along)
        }
      }
    }
  }

  private static func statistics(_ row: Floats, _ count: Int) -> (mean: Double, deviation: Double) {
    var sum = 0.0
    for i in 0..<count { sum += Double(row[i]) }
    let mean = sum / Double(count)
    var squares = 0.0
    for i in 0..<count { squares += (Double(row[i]) - mean) * (Double(row[i]) - mean) }
    return (mean, (squares / Double(max(1, count - 1))).squareRoot())
  }
}
