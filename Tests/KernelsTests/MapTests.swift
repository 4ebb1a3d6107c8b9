import Kernels
import TestSupport
import Testing

@Suite struct MapTests {
  static let pools: [ConvolutionShape] = [
    ConvolutionTests.shape(2, 9, 8, 17, 17, kernel: 3, stride: 2, padding: 1),
    ConvolutionTests.shape(1, 7, 33, 8, 8, kernel: 1, stride: 2),
    ConvolutionTests.shape(1, 8, 8, 33, 33, kernel: 2, stride: 2),
    ConvolutionTests.shape(1, 1, 1, 1, 1, kernel: 3, stride: 2, padding: 1),
    ConvolutionTests.shape(0, 9, 8, 7, 7, kernel: 3, stride: 2, padding: 1),
  ]

  /// For each output element the cell with the maximum, the first one if there are many.
  private func naiveMaxima(_ x: Values, _ shape: ConvolutionShape) -> [Int] {
    (0..<shape.outPixels * shape.inChannels).map { index in
      let (pixel, c) = (index / shape.inChannels, index % shape.inChannels)
      let (i, j) = (pixel / shape.outWidth % shape.outHeight, pixel % shape.outWidth)
      var best: Int?
      for h in i * shape.stride - shape.padding..<i * shape.stride - shape.padding + shape.kernelHeight {
        for w in j * shape.stride - shape.padding..<j * shape.stride - shape.padding + shape.kernelWidth {
          guard h >= 0, h < shape.height, w >= 0, w < shape.width else { continue }
          let image = pixel / shape.outWidth / shape.outHeight
          let cell = ((image * shape.height + h) * shape.width + w) * shape.inChannels + c
          if best.map({ x[cell] > x[$0] }) ?? true { best = cell }
        }
      }
      return best!
    }
  }

  @Test(arguments: pools, [false, true]) func maxPoolTakesTheFirstMaximum(_ shape: ConvolutionShape, hasTies: Bool) {
    let random = Values(random: shape.batch * shape.height * shape.width * shape.inChannels, seed: 1)
    let x = hasTies ? Values(random.array.map { ($0 * 2).rounded() }) : random
    let maxima = naiveMaxima(x, shape)
    let (y, dy) = (Values(undefined: maxima.count), Values(random: maxima.count, seed: 2))
    MaxPool.forward(x.floats, into: y.floats, PoolWindows(shape), Workers(count: 2))
    expectSame(y.array, maxima.map { x.array[$0] })
    let dx = Values([Float](repeating: 1, count: x.count))
    MaxPool.backward(dy.floats, x.floats, y.floats, addingTo: dx.floats, PoolWindows(shape), Workers(count: 2))
    var expected = [Float](repeating: 1, count: x.count)
    for (index, cell) in maxima.enumerated() { expected[cell] += dy.array[index] }
    expectClose(dx.array, expected, absolute: 1e-6)
  }

  @Test func maxPoolKeepsNotANumber() {
    let (x, y) = (Values([1, .nan, 2, 3]), Values([0, 0]))
    MaxPool.forward(
      x.floats, into: y.floats, PoolWindows(ConvolutionTests.shape(1, 1, 4, 1, 1, kernel: 1, stride: 2)),
      Workers(count: 1))
    expectSame(y.array, [1, 2])
    MaxPool.forward(
      x.floats, into: y.floats, PoolWindows(ConvolutionTests.shape(1, 2, 2, 1, 1, kernel: 2)), Workers(count: 1))
    #expect(y.array[0].isNaN)
  }

  @Test(arguments: [
    Upsample.Shape(batch: 2, channels: 17, height: 7, width: 9, topHeight: 4, topWidth: 5),
    Upsample.Shape(batch: 1, channels: 8, height: 8, width: 17, topHeight: 4, topWidth: 9),
    Upsample.Shape(batch: 1, channels: 1, height: 33, width: 1, topHeight: 7, topWidth: 1),
    Upsample.Shape(batch: 0, channels: 8, height: 8, width: 8, topHeight: 4, topWidth: 4),
  ])
  func upsampleRepeatsTheNearest(_ shape: Upsample.Shape) {
    let count = shape.batch * shape.height * shape.width * shape.channels
    let topCount = shape.batch * shape.topHeight * shape.topWidth * shape.channels
    let sources = (0..<count).map { i in
      let (c, pixel) = (i % shape.channels, i / shape.channels)
      let (w, h) = (pixel % shape.width, pixel / shape.width % shape.height)
      let image = pixel / shape.width / shape.height
      let row = image * shape.topHeight + h * shape.topHeight / shape.height
      return (row * shape.topWidth + w * shape.topWidth / shape.width) * shape.channels + c
    }
    let (x, top) = (Values(random: count, seed: 1), Values(random: topCount, seed: 2))
    let y = Values(x.array)
    Upsample.add(top.floats, to: y.floats, shape, Workers(count: 2))
    expectSame(y.array, (0..<count).map { x.array[$0] + top.array[sources[$0]] })
    let dtop = Values([Float](repeating: 1, count: topCount))
    Upsample.backward(x.floats, addingTo: dtop.floats, shape, Workers(count: 2))
    var expected = [Float](repeating: 1, count: topCount)
    for i in 0..<count { expected[sources[i]] += x.array[i] }
    expectClose(dtop.array, expected, absolute: 1e-5)
  }

  @Test(arguments: [0, 1, 7, 33, 70_000]) func activation(_ count: Int) {
    let (x, dy, y) = (Values(random: count, seed: 1), Values(random: count, seed: 2), Values(undefined: count))
    let workers = Workers(count: 2)
    Activation.relu(x.floats, into: y.floats, count: count, workers)
    expectSame(y.array, x.array.map { max(0, $0) })
    let masked = (0..<count).map { x.array[$0] > 0 ? dy.array[$0] : 0 }
    let dx = Values(undefined: count)
    Activation.backward(dy.floats, maskedBy: y.floats, into: dx.floats, isFresh: true, count: count, workers)
    expectSame(dx.array, masked)
    Activation.backward(dy.floats, maskedBy: y.floats, into: dx.floats, isFresh: false, count: count, workers)
    expectSame(dx.array, masked.map { $0 + $0 })
    Activation.backward(dy.floats, maskedBy: nil, into: dx.floats, isFresh: true, count: count, workers)
    Activation.backward(dy.floats, maskedBy: nil, into: dx.floats, isFresh: false, count: count, workers)
    expectSame(dx.array, dy.array.map { $0 + $0 })
  }
}

extension PoolWindows {
  /// Those of a convolution.
  fileprivate init(_ shape: ConvolutionShape) {
    self.init(
      batch: shape.batch, height: shape.height, width: shape.width, channels: shape.inChannels,
      kernel: shape.kernelHeight, stride: shape.stride, padding: shape.padding)
  }
}
