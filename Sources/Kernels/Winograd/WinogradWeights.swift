/// The weights `[out, 3, 3, in]` of a convolution on their way into Winograd's planes.
struct WinogradWeights {
  static let taps = 9

  let values: Floats
  let inChannels: Int
  let outChannels: Int
  /// For the gradient of the input: turned by 180°, and from output to input channels.
  let isTurned: Bool

  /// The channels that a product sums over: the lines of a plane.
  var sourceChannels: Int { isTurned ? outChannels : inChannels }
  /// The channels that it writes.
  var targetChannels: Int { isTurned ? inChannels : outChannels }

  /// Writes G w Gᵀ for 16 target channels, as a group of `planes`.
  func transform(group: Int, into planes: WinogradPlanes, at place: Int) {
    if isTurned {
      transformTurned(group, into: planes, place)
    } else {
      transformForward(group, into: planes, place)
    }
  }

  /// Vectors along the input channels, as the weights lie.
  private func transformTurned(_ group: Int, into planes: WinogradPlanes, _ place: Int) {
    WeightTransform.withMiddle { middle in
      for o in 0..<outChannels {
        let source = values + o * Self.taps * inChannels + group * Vector.scalarCount
        let square = planes.square(group: place, line: o)
        WeightTransform.apply(
          middle, load: { (source + (Self.taps - 1 - $0) * inChannels).vector }, store: { square[$0] = $1 })
      }
    }
  }

  /// Vectors along the output channels, by squares of 16 × 16 channels that are transposed.
  private func transformForward(_ group: Int, into planes: WinogradPlanes, _ place: Int) {
    let length = Vector.scalarCount
    let source = values + group * length * Self.taps * inChannels
    withUnsafeTemporaryAllocation(of: Vector.self, capacity: Self.taps * length + 36) { squares in
      let middle = squares.baseAddress! + Self.taps * length
      for c in stride(from: 0, to: inChannels, by: length) {
        for tap in 0..<Self.taps {
          Transposition.write(
            source + tap * inChannels + c, stride: Self.taps * inChannels, to: squares.baseAddress! + tap * length)
        }
        for channel in 0..<length {
          let square = planes.square(group: place, line: c + channel)
          WeightTransform.apply(
            middle, load: { squares[$0 * length + channel] }, store: { square[$0] = $1 })
        }
      }
    }
  }

  /// Adds Gᵀ m G to the weights of `outputs` and of `channels`, both multiples of 16.
  static func addGradient(
    _ sums: WinogradPlanes, to dw: Floats, inChannels: Int, outputs: Range<Int>, channels: Range<Int>
  ) {
    WeightGradientTransform.withMiddle { middle in
      for o in outputs {
        for group in 0..<channels.count / Vector.scalarCount {
          let square = sums.square(group: group, line: o - outputs.lowerBound)
          let target = dw + o * taps * inChannels + channels.lowerBound + group * Vector.scalarCount
          WeightGradientTransform.apply(
            middle, load: { square[$0] }, store: { (target + $0 * inChannels).vector += $1 })
        }
      }
    }
  }
}

/// Squares of 16 × 16 numbers with rows and columns exchanged.
enum Transposition {
  /// Four times, rows i and i + 8 are shuffled into rows 2i and 2i + 1. A number's row and column together are eight
  /// bits, which this turns round by one, four times by four: row and column are exchanged.
  @inline(__always)
  static func write(_ source: Floats, stride: Int, to target: UnsafeMutablePointer<Vector>) {
    withUnsafeTemporaryAllocation(of: Vector.self, capacity: 16) { other in
      for i in 0..<8 {
        (other[2 * i], other[2 * i + 1]) = shuffled((source + i * stride).vector, (source + (i + 8) * stride).vector)
      }
      for i in 0..<8 { (target[2 * i], target[2 * i + 1]) = shuffled(other[i], other[i + 8]) }
      for i in 0..<8 { (other[2 * i], other[2 * i + 1]) = shuffled(target[i], target[i + 8]) }
      for i in 0..<8 { (target[2 * i], target[2 * i + 1]) = shuffled(other[i], other[i + 8]) }
    }
  }

  /// a₀ b₀ a₁ b₁ … in two vectors.
  @inline(__always)
  private static func shuffled(_ a: Vector, _ b: Vector) -> (Vector, Vector) {
    var (low, high) = (Vector(), Vector())
    (low.evenHalf, low.oddHalf) = (a.lowHalf, b.lowHalf)
    (high.evenHalf, high.oddHalf) = (a.highHalf, b.highHalf)
    return (low, high)
  }
}
