import Kernels
import TestSupport
import Testing

@Suite struct ConvolutionTests {
  static let shapes: [ConvolutionShape] = [
    shape(1, 1, 1, 1, 1, kernel: 1),
    shape(2, 7, 9, 3, 17, kernel: 7, stride: 2, padding: 3),
    shape(1, 8, 17, 8, 9, kernel: 3, padding: 1),
    shape(2, 9, 7, 17, 33, kernel: 3, stride: 2, padding: 1),
    shape(1, 33, 17, 7, 8, kernel: 1),
    shape(3, 9, 8, 33, 7, kernel: 1, stride: 2),
    shape(1, 17, 9, 9, 1, kernel: 3),
    shape(1, 7, 8, 8, 17, kernel: 5, stride: 3, padding: 2),
    shape(1, 3, 3, 8, 8, kernel: 7, padding: 3),
    shape(2, 33, 33, 64, 128, kernel: 3, stride: 2, padding: 1),
    shape(1, 7, 9, 128, 64, kernel: 3, padding: 1), shape(9, 2, 2, 16, 32, kernel: 3, padding: 1),
    shape(9, 3, 3, 80, 64, kernel: 3, padding: 1),
    shape(1, 16, 20, 272, 256, kernel: 1),
    ConvolutionShape(
      batch: 2, height: 8, width: 9, inChannels: 7, outChannels: 9, kernelHeight: 1, kernelWidth: 3, stride: 1,
      padding: 1),
    .linear(rows: 33, inChannels: 1000, outChannels: 81),
    // Weights that are packed in several parts; the first is that of the box head of R50.
    .linear(rows: 2, inChannels: 12544, outChannels: 1024), .linear(rows: 9, inChannels: 700, outChannels: 8192),
    // Several blocks of the column matrix, with few weights (the stem of ResNet) and with many.
    shape(1, 300, 300, 3, 16, kernel: 7, stride: 2, padding: 3),
    shape(1, 97, 97, 32, 96, kernel: 5, stride: 3, padding: 2),
    // Dilation: with a stride, taps that reach a pixel are 1, 2 or 3 cells of the output apart.
    shape(2, 9, 11, 17, 16, kernel: 3, padding: 2, dilation: 2), shape(1, 13, 9, 32, 32, kernel: 3, dilation: 3),
    shape(1, 15, 12, 7, 9, kernel: 3, stride: 2, padding: 2, dilation: 2),
    shape(2, 13, 14, 8, 8, kernel: 5, stride: 2, padding: 3, dilation: 3),
    shape(1, 17, 18, 5, 8, kernel: 3, stride: 4, padding: 1, dilation: 6),
  ]
  /// Groups of few channels and of many, of as many outputs as inputs and not, with strides and dilation.
  static let groupedShapes: [ConvolutionShape] = [
    shape(2, 9, 7, 4, 4, kernel: 1, groups: 2), shape(1, 8, 9, 6, 9, kernel: 3, padding: 1, groups: 3),
    shape(1, 9, 8, 7, 7, kernel: 3, padding: 1, groups: 7), shape(2, 7, 9, 12, 30, kernel: 1, stride: 2, groups: 6),
    shape(1, 11, 12, 48, 48, kernel: 3, stride: 2, padding: 1, groups: 2),
    shape(2, 13, 10, 64, 32, kernel: 5, stride: 3, padding: 2, groups: 4),
    shape(1, 10, 9, 24, 16, kernel: 3, padding: 2, dilation: 2, groups: 4),
    shape(1, 12, 13, 18, 36, kernel: 3, stride: 2, padding: 3, dilation: 3, groups: 2),
    shape(1, 19, 21, 32, 32, kernel: 3, stride: 2, padding: 1, groups: 8),
    shape(1, 9, 8, 48, 48, kernel: 3, padding: 2, dilation: 2, groups: 3),
    shape(2, 11, 13, 48, 48, kernel: 3, stride: 3, padding: 1, groups: 4),
    shape(2, 9, 10, 96, 96, kernel: 3, stride: 2, padding: 1, groups: 4),
    shape(1, 14, 12, 80, 80, kernel: 3, stride: 2, padding: 2, dilation: 2, groups: 2),
    shape(2, 7, 7, 192, 192, kernel: 1, groups: 3), shape(1, 9, 9, 72, 72, kernel: 3, padding: 1, groups: 3),
    shape(2, 20, 21, 128, 128, kernel: 3, stride: 2, padding: 1, groups: 32),
    shape(1, 70, 70, 144, 288, kernel: 3, stride: 2, padding: 1, groups: 2),
  ]
  /// Those that Winograd's algorithm takes.
  static let winogradShapes: [ConvolutionShape] = [
    shape(1, 17, 33, 16, 48, kernel: 3, padding: 1), shape(2, 18, 19, 64, 32, kernel: 3),
    shape(3, 9, 16, 32, 16, kernel: 3, padding: 2), shape(1, 23, 25, 64, 64, kernel: 3, padding: 1),
    shape(1, 24, 24, 512, 512, kernel: 3, padding: 1), shape(1, 30, 41, 256, 128, kernel: 3, padding: 1),
    shape(2, 9, 9, 16, 16, kernel: 3, padding: 1), shape(2, 100, 100, 32, 16, kernel: 3, padding: 1),
    shape(3, 12, 10, 80, 64, kernel: 3, padding: 1),
    // In groups: of a part of a vector, of vectors, of one and a half, of many; the last with more tiles than a part.
    shape(2, 17, 19, 32, 32, kernel: 3, padding: 1, groups: 8), shape(1, 18, 16, 16, 16, kernel: 3, groups: 16),
    shape(2, 16, 15, 48, 48, kernel: 3, padding: 2, groups: 3),
    shape(1, 20, 17, 48, 48, kernel: 3, padding: 1, groups: 2),
    shape(1, 17, 18, 48, 48, kernel: 3, padding: 1, groups: 4), shape(1, 16, 17, 112, 112, kernel: 3, groups: 2),
    shape(2, 14, 14, 240, 240, kernel: 3, padding: 1, groups: 2),
    shape(1, 50, 52, 96, 96, kernel: 3, padding: 1, groups: 2),
  ]
  static let emptyShapes: [ConvolutionShape] = [
    shape(0, 7, 8, 9, 17, kernel: 3, padding: 1), shape(0, 8, 8, 32, 32, kernel: 3, padding: 1),
    .linear(rows: 0, inChannels: 300, outChannels: 300),
  ]

  static func shape(
    _ batch: Int, _ height: Int, _ width: Int, _ inChannels: Int, _ outChannels: Int, kernel: Int, stride: Int = 1,
    padding: Int = 0, dilation: Int = 1, groups: Int = 1
  ) -> ConvolutionShape {
    ConvolutionShape(
      batch: batch, height: height, width: width, inChannels: inChannels, outChannels: outChannels,
      kernelHeight: kernel, kernelWidth: kernel, stride: stride, padding: padding, dilation: dilation, groups: groups)
  }

  @Test(arguments: shapes + groupedShapes) func agreesWithTheSums(_ shape: ConvolutionShape) {
    #expect(!Convolution.usesWinograd(shape))
    let data = ConvolutionData(shape)
    let naive = data.naive()
    let result = data.run(threads: 1)
    expectCloseToMaximum(result.y, naive.y, 1e-6, "y")
    expectCloseToMaximum(result.dx, naive.dx, 1e-6, "dx")
    expectCloseToMaximum(result.dw, zip(naive.dw, data.dw.array).map { $0 + $1 }, 2e-6, "dw")
  }

  @Test(arguments: winogradShapes) func winogradIsAsGoodAsFloatsAllow(_ shape: ConvolutionShape) {
    #expect(Convolution.usesWinograd(shape))
    let data = ConvolutionData(shape)
    let naive = data.naive()
    let result = data.run(threads: 2)
    expectCloseToMaximum(result.y, naive.y, 2e-5, "y")
    expectCloseToMaximum(result.dx, naive.dx, 2e-5, "dx")
    expectCloseToMaximum(result.dw, zip(naive.dw, data.dw.array).map { $0 + $1 }, 2e-5, "dw")
  }

  @Test(arguments: shapes + groupedShapes + winogradShapes + emptyShapes)
  func hasTheSameBitsOnAnyNumberOfThreads(_ shape: ConvolutionShape) {
    let data = ConvolutionData(shape)
    let one = data.run(threads: 1)
    for threads in [2, 3] {
      let many = data.run(threads: threads)
      #expect(one.y == many.y && one.dx == many.dx && one.dw == many.dw)
    }
  }

  @Test(arguments: shapes + groupedShapes + winogradShapes)
  func addsToAGradientThatIsNotFresh(_ shape: ConvolutionShape) {
    let data = ConvolutionData(shape)
    let fresh = data.run(threads: 1).dx
    let dx = Values([Float](repeating: 1, count: fresh.count))
    Convolution.backwardInput(
      data.dy.floats, data.weight.floats, into: dx.floats, isFresh: false, shape, Workers(count: 1))
    expectCloseToMaximum(dx.array, fresh.map { $0 + 1 }, 1e-6)
  }

  /// Gradients of samples are zero nearly everywhere; here from one pixel in 500 to none at all.
  @Test(arguments: winogradShapes, [500, .max]) func winogradLeavesOutZeros(_ shape: ConvolutionShape, every: Int) {
    let data = ConvolutionData(shape)
    for i in 0..<data.dy.count where i / shape.outChannels % every != every / 2 { data.dy.floats[i] = 0 }
    let naive = data.naive()
    let result = data.run(threads: 2)
    expectCloseToMaximum(result.dx, naive.dx, 2e-5, "dx")
    expectCloseToMaximum(result.dw, zip(naive.dw, data.dw.array).map { $0 + $1 }, 2e-5, "dw")
    let dx = Values([Float](repeating: 1, count: data.x.count))
    Convolution.backwardInput(
      data.dy.floats, data.weight.floats, into: dx.floats, isFresh: false, shape, Workers(count: 1))
    expectCloseToMaximum(dx.array, result.dx.map { $0 + 1 }, 1e-6)
  }

  @Test func winogradKeepsNotANumberInAGradient() {
    let shape = Self.shape(1, 40, 40, 16, 16, kernel: 3, padding: 1)
    let data = ConvolutionData(shape)
    data.dy.floats.update(repeating: 0, count: data.dy.count)
    let pixel = 21 * 40 + 17
    data.dy.floats[pixel * 16 + 5] = .nan
    let result = data.run(threads: 1)
    let (seen, summed) = (result.dx[pixel * 16..<pixel * 16 + 16], result.dw[5 * 9 * 16..<6 * 9 * 16])
    #expect(seen.filter(\.isNaN).count == 16 && summed.filter(\.isNaN).count == 9 * 16)
    #expect(result.dx[0] == 0 && result.dw[0] == data.dw.array[0])
  }

  /// Small maps and large ones, where the work is cut differently: with and without Winograd, and linear layers.
  @Test(arguments: [
    shape(3, 9, 7, 16, 33, kernel: 1, padding: 0), shape(3, 21, 17, 24, 128, kernel: 1, padding: 0),
    shape(3, 21, 17, 32, 40, kernel: 3, stride: 2, padding: 1), shape(3, 13, 11, 7, 9, kernel: 3, padding: 1),
    shape(3, 30, 26, 32, 48, kernel: 3, padding: 1), shape(3, 9, 8, 32, 64, kernel: 3, padding: 1),
    shape(3, 1, 1, 700, 81, kernel: 1, padding: 0), shape(3, 21, 17, 24, 48, kernel: 3, padding: 1, groups: 3),
    shape(3, 30, 26, 64, 64, kernel: 3, stride: 2, padding: 1, groups: 8),
    shape(3, 30, 26, 48, 48, kernel: 3, padding: 1, groups: 6),
    shape(3, 13, 12, 16, 16, kernel: 3, padding: 2, dilation: 2),
  ])
  func anImageHasTheSameBitsInAnyBatch(_ shape: ConvolutionShape) {
    let data = ConvolutionData(shape)
    let batch = data.run(threads: 2)
    let alone = ConvolutionShape(
      batch: 1, height: shape.height, width: shape.width, inChannels: shape.inChannels,
      outChannels: shape.outChannels, kernelHeight: shape.kernelHeight, kernelWidth: shape.kernelWidth,
      stride: shape.stride, padding: shape.padding, dilation: shape.dilation, groups: shape.groups)
    let (xCount, yCount) = (data.x.count / 3, data.dy.count / 3)
    for image in 0..<3 {
      let (y, dx) = (Values(undefined: yCount), Values(undefined: xCount))
      let workers = Workers(count: 1)
      Convolution.forward(
        data.x.floats + image * xCount, data.weight.floats, ConvolutionEpilogue(), into: y.floats, alone, workers)
      Convolution.backwardInput(
        data.dy.floats + image * yCount, data.weight.floats, into: dx.floats, isFresh: true, alone, workers)
      expectSame(y.array, Array(batch.y[image * yCount..<(image + 1) * yCount]), "y of image \(image)")
      expectSame(dx.array, Array(batch.dx[image * xCount..<(image + 1) * xCount]), "dx of image \(image)")
    }
  }

  @Test(arguments: 0..<16) func epilogue(_ parts: Int) {
    for shape in [Self.shape(2, 9, 7, 8, 17, kernel: 3, padding: 1), Self.winogradShapes[0]] {
      let channels = shape.outChannels
      let data = ConvolutionData(shape)
      let (scale, shift) = (Values(random: channels, seed: 9), Values(random: channels, seed: 10))
      let residual = Values(random: data.dy.count, seed: 11)
      let relu = parts & 8 != 0
      let epilogue = ConvolutionEpilogue(
        scale: parts & 1 != 0 ? scale.floats : nil, shift: parts & 2 != 0 ? shift.floats : nil,
        residual: parts & 4 != 0 ? residual.floats : nil, relu: relu)
      let y = Values(undefined: data.dy.count)
      let (scales, shifts, residuals) = (scale.array, shift.array, residual.array)
      Convolution.forward(data.x.floats, data.weight.floats, epilogue, into: y.floats, shape, Workers(count: 2))
      let expected = data.run(threads: 1).y.enumerated().map { i, sum in
        let scaled = parts & 1 != 0 ? sum * scales[i % channels] : sum
        let shifted = parts & 2 != 0 ? scaled + shifts[i % channels] : scaled
        let total = parts & 4 != 0 ? shifted + residuals[i] : shifted
        return relu ? max(0, total) : total
      }
      expectCloseToMaximum(y.array, expected, 1e-6)
    }
  }

  @Test(arguments: [(0, 17), (1, 1), (9, 17), (3000, 256)], [true, false])
  func epilogueBackward(_ size: (rows: Int, columns: Int), isFresh: Bool) {
    let (rows, columns) = size
    let count = rows * columns
    let (dy, y) = (Values(random: count, seed: 1), Values(random: count, seed: 2))
    let scale = Values(random: columns, seed: 3)
    let residual = Values([Float](repeating: isFresh ? .nan : 1, count: count))
    let g = zip(y.array, dy.array).map { $0 > 0 ? $1 : 0 }
    let scales = scale.array
    let sums = ConvolutionEpilogue.backward(
      dy.floats, relu: y.floats, scale: scale.floats, residual: (residual.floats, isFresh), rows: rows,
      columns: columns, Workers(count: 2))
    let expected = (0..<columns).map { c in (0..<rows).reduce(0.0) { $0 + Double(g[$1 * columns + c]) } }
    expectClose(sums.map(Float.init), expected.map(Float.init), absolute: 1e-6, relative: 1e-6)
    expectSame(residual.array, g.map { isFresh ? $0 : 1 + $0 })
    expectSame(dy.array, (0..<count).map { g[$0] * scales[$0 % columns] })
  }

  @Test(arguments: [1, 7, 8, 33], [1, 9, 4608]) func addWeightGradient(outChannels: Int, depth: Int) {
    let count = outChannels * depth
    let (part, weight, sum) = (
      Values(random: count, seed: 1), Values(random: count, seed: 2), Values(random: count, seed: 3)
    )
    let factors = Values(random: outChannels, seed: 4)
    let (parts, weights, sums, scales) = (part.array, weight.array, sum.array, factors.array)
    let expected = (0..<count).map { sums[$0] + scales[$0 / depth] * parts[$0] }
    let products = ConvolutionEpilogue.addWeightGradient(
      part.floats, weight.floats, factors: factors.floats, addingTo: sum.floats, outChannels: outChannels,
      depth: depth, Workers(count: 2))
    expectClose(sum.array, expected, absolute: 1e-6)
    let naive = (0..<outChannels).map { o in
      (o * depth..<(o + 1) * depth).reduce(0.0) { $0 + Double(parts[$1]) * Double(weights[$1]) }
    }
    expectClose(products.map(Float.init), naive.map(Float.init), absolute: 1e-6, relative: 1e-6)
  }

  @Test func keepsNotANumber() {
    let (x, weight, y) = (Values([.nan, 1]), Values([1]), Values([0, 0]))
    Convolution.forward(
      x.floats, weight.floats, ConvolutionEpilogue(relu: true), into: y.floats,
      .linear(rows: 2, inChannels: 1, outChannels: 1), Workers(count: 1))
    #expect(y.array[0].isNaN && y.array[1] == 1)
  }
}

/// The arrays of a convolution and what the definition makes of them, in double precision.
struct ConvolutionData {
  let shape: ConvolutionShape
  let x: Values
  let weight: Values
  let dy: Values
  /// What stands in the weights' gradient before.
  let dw: Values

  init(_ shape: ConvolutionShape) {
    self.shape = shape
    x = Values(random: shape.batch * shape.height * shape.width * shape.inChannels, seed: 1)
    weight = Values(random: shape.weightCount, seed: 2)
    dy = Values(random: shape.outPixels * shape.outChannels, seed: 3)
    dw = Values(random: shape.weightCount, seed: 4)
  }

  func run(threads: Int) -> (y: [Float], dx: [Float], dw: [Float]) {
    let workers = Workers(count: threads)
    let (y, dx, dw) = (Values(undefined: dy.count), Values(undefined: x.count), Values(self.dw.array))
    Convolution.forward(x.floats, weight.floats, ConvolutionEpilogue(), into: y.floats, shape, workers)
    Convolution.backwardInput(dy.floats, weight.floats, into: dx.floats, isFresh: true, shape, workers)
    Convolution.backwardWeight(x.floats, dy.floats, addingTo: dw.floats, shape, workers)
    return (y.array, dx.array, dw.array)
  }

  func naive() -> (y: [Float], dx: [Float], dw: [Float]) {
    var y = [Double](repeating: 0, count: dy.count)
    var dx = [Double](repeating: 0, count: x.count)
    var dw = [Double](repeating: 0, count: weight.count)
    let (inChannels, outChannels) = (shape.inChannels, shape.outChannels)
    let (groupIn, groupOut) = (inChannels / shape.groups, outChannels / shape.groups)
    forEachTap { pixel, cell, tap in
      for o in 0..<outChannels {
        let (yIndex, wIndex) = (pixel * outChannels + o, (o * shape.kernelHeight * shape.kernelWidth + tap) * groupIn)
        let xIndex = cell * inChannels + o / groupOut * groupIn
        for c in 0..<groupIn {
          y[yIndex] += x[xIndex + c] * weight[wIndex + c]
          dx[xIndex + c] += dy[yIndex] * weight[wIndex + c]
          dw[wIndex + c] += dy[yIndex] * x[xIndex + c]
        }
      }
    }
    return (y.map { Float($0) }, dx.map { Float($0) }, dw.map { Float($0) })
  }

  /// All output pixels with the input cells that they see and the taps through which they do.
  private func forEachTap(_ body: (_ pixel: Int, _ cell: Int, _ tap: Int) -> Void) {
    for pixel in 0..<shape.outPixels {
      let (image, i) = (pixel / shape.outWidth / shape.outHeight, pixel / shape.outWidth % shape.outHeight)
      let j = pixel % shape.outWidth
      for r in 0..<shape.kernelHeight {
        for s in 0..<shape.kernelWidth {
          let h = i * shape.stride + r * shape.dilation - shape.padding
          let w = j * shape.stride + s * shape.dilation - shape.padding
          guard h >= 0, h < shape.height, w >= 0, w < shape.width else { continue }
          body(pixel, (image * shape.height + h) * shape.width + w, r * shape.kernelWidth + s)
        }
      }
    }
  }
}
