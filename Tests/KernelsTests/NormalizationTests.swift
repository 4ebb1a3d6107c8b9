import Kernels
import TestSupport
import Testing

@Suite struct NormalizationTests {
  static let sizes: [MapSize] = [
    MapSize(images: 1, pixels: 1, channels: 1), MapSize(images: 2, pixels: 63, channels: 17),
    MapSize(images: 3, pixels: 2000, channels: 33), MapSize(images: 0, pixels: 9, channels: 8),
    MapSize(images: 2, pixels: 0, channels: 7),
  ]

  private func data(_ size: MapSize, _ seed: UInt64) -> Values {
    Values(random: size.images * size.pixels * size.channels, seed: seed)
  }

  /// For each image and channel the sum of a term over the pixels.
  private func naiveSums(_ size: MapSize, _ term: (Int) -> Double) -> [Double] {
    (0..<size.images * size.channels).map { i in
      (0..<size.pixels).reduce(0) { sum, pixel in
        sum + term((i / size.channels * size.pixels + pixel) * size.channels + i % size.channels)
      }
    }
  }

  private func expectEqual(_ actual: [Double], _ expected: [Double]) {
    #expect(actual.count == expected.count)
    #expect(zip(actual, expected).allSatisfy { abs($0 - $1) <= 1e-12 * Double(1 + actual.count) * (1 + abs($1)) })
  }

  @Test(arguments: sizes) func momentsAreExactInDoublePrecision(_ size: MapSize) {
    let x = data(size, 1)
    let moments = Normalization.moments(x.floats, size, Workers(count: 1))
    expectEqual(moments.first, naiveSums(size) { x[$0] })
    expectEqual(moments.second, naiveSums(size) { x[$0] * x[$0] })
    let many = Normalization.moments(x.floats, size, Workers(count: 2))
    #expect(many.first == moments.first && many.second == moments.second)
  }

  @Test(arguments: sizes, [false, true]) func productsAreMaskedAndHandedToTheResidual(_ size: MapSize, relu: Bool) {
    let (x, dy, y) = (data(size, 1), data(size, 2), data(size, 3))
    let g = { (i: Int) in relu && y[i] <= 0 ? 0 : dy[i] }
    let gradient = OutputGradient(dy.floats, maskedBy: relu ? y.floats : nil)
    let (fresh, old) = (Values(undefined: x.count), Values([Float](repeating: 1, count: x.count)))
    for (residual, isFresh) in [(fresh, true), (old, false)] {
      let sums = Normalization.products(
        gradient, x.floats, residual: (residual.floats, isFresh), size, Workers(count: 2))
      expectEqual(sums.first, naiveSums(size, g))
      expectEqual(sums.second, naiveSums(size) { g($0) * x[$0] })
    }
    expectSame(fresh.array, (0..<x.count).map { Float(g($0)) })
    expectSame(old.array, (0..<x.count).map { Float(g($0)) + 1 })
  }

  @Test(arguments: sizes, [false, true]) func affineTakesCoefficientsOfChannelsOrImages(_ size: MapSize, perImage: Bool)
  {
    let (x, residual, y) = (data(size, 1), data(size, 2), data(size, 3))
    let sets = perImage ? size.images : 1
    let scale = Values(random: sets * size.channels, seed: 4)
    let shift = Values(random: sets * size.channels, seed: 5)
    for (hasResidual, relu) in [(false, false), (true, false), (false, true), (true, true)] {
      Normalization.affine(
        x.floats, scale: scale.array, shift: shift.array, residual: hasResidual ? residual.floats : nil, relu: relu,
        into: y.floats, size, Workers(count: 2))
      let expected = (0..<x.count).map { i in
        let k = (perImage ? i / (size.pixels * size.channels) * size.channels : 0) + i % size.channels
        let value = x[i] * scale[k] + shift[k] + (hasResidual ? residual[i] : 0)
        return Float(relu ? max(0, value) : value)
      }
      expectClose(y.array, expected, absolute: 3e-7)
    }
  }

  @Test(arguments: sizes, [false, true]) func combineWritesOrAdds(_ size: MapSize, isFresh: Bool) {
    let (x, dy, y) = (data(size, 1), data(size, 2), data(size, 3))
    let coefficients = (4..<7).map { Values(random: size.images * size.channels, seed: $0) }
    let dx = isFresh ? Values(undefined: x.count) : data(size, 8)
    let before = dx.array
    Normalization.combine(
      OutputGradient(dy.floats, maskedBy: y.floats), a: coefficients[0].array,
      statistics: (x.floats, coefficients[1].array, coefficients[2].array), into: dx.floats, isFresh: isFresh, size,
      Workers(count: 2))
    let expected = (0..<x.count).map { i in
      let k = i / (size.pixels * size.channels) * size.channels + i % size.channels
      let g = y[i] > 0 ? dy[i] : 0
      let value = coefficients[0][k] * g + coefficients[1][k] * x[i] + coefficients[2][k]
      return Float(value + (isFresh ? 0 : Double(before[i])))
    }
    expectClose(dx.array, expected, absolute: 5e-7)
  }

  @Test func withoutAGradientOnlyTheStatisticsRemain() {
    let size = MapSize(images: 1, pixels: 3, channels: 2)
    let (x, dx) = (data(size, 1), Values(undefined: 6))
    let sums = Normalization.products(OutputGradient(nil, maskedBy: x.floats), x.floats, size, Workers(count: 1))
    #expect(sums.first == [0, 0] && sums.second == [0, 0])
    Normalization.combine(
      OutputGradient(nil), a: [1, 1], statistics: (x.floats, [0, 0], [3, 4]), into: dx.floats, isFresh: true, size,
      Workers(count: 1))
    expectSame(dx.array, [3, 4, 3, 4, 3, 4])
  }
}
