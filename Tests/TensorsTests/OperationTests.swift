import Primitives
import Tensors
import TestSupport
import Testing

@Suite struct OperationTests {
  @Test(arguments: [(3, 1, 1, 9), (7, 2, 3, 8), (1, 1, 0, 17), (1, 2, 0, 7), (3, 2, 1, 33)])
  func convolution(kernel: Int, stride: Int, padding: Int, channels: Int) throws {
    let check = GradientCheck()
    let weight = check.parameter("weight", [channels, 8, kernel, kernel])
    let bias = check.parameter("bias", [channels])
    check.input([2, 9, 7, 8])
    try check.check(step: 1) { $0[0].convolution(weight, bias: bias, stride: stride, padding: padding) }
  }

  @Test(arguments: [(1, 1, 2), (2, 1, 4), (1, 2, 1), (2, 2, 2), (1, 1, 8)], [false, true])
  func convolutionInGroups(_ steps: (stride: Int, dilation: Int, groups: Int), hasNorm: Bool) throws {
    let check = GradientCheck()
    let weight = ConvolutionWeight(check.parameter("weight", [24, 16 / steps.groups, 3, 3]))
    let norm = check.norm(24)
    let geometry = ConvolutionGeometry(
      stride: steps.stride, padding: steps.dilation, dilation: steps.dilation, groups: steps.groups)
    check.input([2, 13, 11, 16])
    try check.check(step: 0.5) {
      hasNorm ? $0[0].convolution(weight, frozenNorm: norm, geometry) : $0[0].convolution(weight, geometry)
    }
  }

  /// Weights that are standardised: their gradient through the fold, alone, with a folded norm, and used twice.
  @Test(arguments: [false, true], [1, 4]) func standardizedWeights(hasNorm: Bool, groups: Int) throws {
    let check = GradientCheck()
    let weight = check.parameter("weight", [16, 16 / groups, 3, 3])
    let norm = check.norm(16)
    let geometry = ConvolutionGeometry(padding: 1, groups: groups)
    check.input([1, 9, 8, 16])
    try check.check(step: 0.05) {
      let weights = ConvolutionWeight.standardized(weight, on: $0[0].engine)
      let y =
        hasNorm ? $0[0].convolution(weights, frozenNorm: norm, geometry) : $0[0].convolution(weights, geometry)
      return y.convolution(weights, geometry)
    }
  }

  @Test func standardizedWeightsHaveMeanZeroAndDeviationOne() throws {
    let store = ParameterStore()
    let weight = store.add(
      "w", shape: [3, 4, 3, 3], layout: .convolution, isTrainable: true, initializer: .normal(0.3))
    store.allocate(seed: 1)
    for i in 72..<108 { weight.values[i] = 0.25 }
    let engine = Engine(threads: 1)
    engine.tape = Tape()
    // Pictures of one bright number each see one weight each.
    let pictures = Tensor([36, 3, 3, 4], (0..<36 * 36).map { $0 % 37 == 0 ? 1 : 0 }, on: engine)
    let y = pictures.convolution(.standardized(weight, on: engine), ConvolutionGeometry())
    let rows = (0..<3).map { o in (0..<36).map { Double(y.array[$0 * 3 + o]) } }
    for row in rows.prefix(2) {
      #expect(abs(row.reduce(0, +)) < 1e-5 && abs(row.reduce(0) { $0 + $1 * $1 } / 35 - 1) < 1e-3)
    }
    // Equal weights have no deviation: they become zeros, and their gradient is finite.
    #expect(rows[2].allSatisfy { $0 == 0 })
    try backward(from: y, (0..<108).map { Float($0 % 5) })
    #expect((0..<108).allSatisfy { weight.gradient[$0].isFinite })
  }

  /// The tape alone announces a folded parameter, once, when the fold has run back.
  @Test func aFoldedParameterIsFinalAfterItsFold() throws {
    final class Observer: GradientObserver {
      var final: [(name: String, norm: Float)] = []
      func gradientIsFinal(of parameter: Parameter) {
        final.append((parameter.name, (0..<parameter.count).reduce(0) { $0 + abs(parameter.gradient[$1]) }))
      }
      func makeProgress() {}
    }
    let check = GradientCheck()
    let weight = check.parameter("weight", [8, 8, 3, 3])
    check.store.allocate(seed: 1)
    let engine = Engine(threads: 1)
    engine.tape = Tape()
    let x = Tensor([1, 5, 5, 8], check.numbers(200), on: engine)
    let weights = ConvolutionWeight.standardized(weight, on: engine)
    let y = x.convolution(weights, ConvolutionGeometry(padding: 1)).convolution(weights, ConvolutionGeometry())
    let observer = Observer()
    try backward(from: y, check.numbers(y.count), informing: observer)
    #expect(observer.final.map(\.name) == ["weight"] && observer.final[0].norm > 0)
  }

  /// Three maps, one of them without a cell, cells at corners and edges, one twice over.
  @Test(arguments: [(3, 1), (1, 0), (5, 1)]) func convolutionAtCells(kernel: Int, padding: Int) throws {
    let check = GradientCheck()
    let weight = check.parameter("weight", [17, 8, kernel, kernel])
    let bias = check.parameter("bias", [17])
    for shape in [[2, 9, 7, 8], [2, 5, 4, 8], [2, 6, 5, 8]] { check.input(shape) }
    let cells: [[Int32]] = [[0, 8, 8, 29], [], [1]]
    try check.check(step: 1) {
      Tensor.convolution(of: $0, at: cells, weight, bias: bias, padding: padding, relu: false)
    }
    let covector = check.numbers(5 * 17)
    let atCells = try check.run(gradient: covector) {
      Tensor.convolution(of: $0, at: cells, weight, bias: bias, padding: padding, relu: true)
    }
    let whole = try [0, 2].flatMap { map in
      let values = try check.run(gradient: nil) {
        $0[map].convolution(weight, bias: bias, padding: padding, relu: true)
      }.output
      return cells[map].flatMap { values[Int($0) * 17..<Int($0) * 17 + 17] }
    }
    expectCloseToMaximum(atCells.output, whole, 1e-6)
    #expect(atCells.inputs[1].allSatisfy { $0 == 0 })
  }

  @Test func convolutionHasPyTorchsLayouts() {
    let engine = Engine(threads: 1)
    let store = ParameterStore()
    let weight = store.add(
      "w", shape: [1, 2, 1, 3], layout: .convolution, isTrainable: false, initializer: .constant(0))
    store.allocate(seed: 0)
    weight.importValues([1, 2, 3, 10, 20, 30], into: weight.values)
    let x = Tensor([1, 1, 3, 2], [1, 2, 3, 4, 5, 6], on: engine)
    let sum: Float = 1 * 1 + 2 * 3 + 3 * 5 + 10 * 2 + 20 * 4 + 30 * 6
    #expect(x.convolution(weight).array == [sum])
  }

  @Test(arguments: [(0, 3), (1, 1), (9, 7), (17, 2)]) func averagePool(images: Int, side: Int) throws {
    let check = GradientCheck()
    check.input([images, side, side, 5])
    if images > 0 { try check.check(step: 1) { $0[0].averagePool() } }
    let values = check.numbers(images * side * side * 5)
    let pooled = Tensor([images, side, side, 5], values, on: Engine(threads: 2)).averagePool()
    #expect(pooled.shape == [images, 5])
    let pixels = side * side
    let means = (0..<images * 5).map { i in
      (0..<pixels).reduce(0.0) { $0 + Double(values[(i / 5 * pixels + $1) * 5 + i % 5]) } / Double(pixels)
    }
    expectClose(pooled.array, means.map { Float($0) }, absolute: 1e-6)
  }

  @Test(arguments: [1, 2, 3, 8]) func averagePoolOfSquares(cells: Int) throws {
    let check = GradientCheck()
    check.input([2, 7, 5, 4])
    try check.check(step: 1) { $0[0].averagePool(cells: cells) }
  }

  @Test(arguments: [1, 7, 33]) func linear(rows: Int) throws {
    let check = GradientCheck()
    let (weight, bias) = (check.parameter("weight", [17, 9]), check.parameter("bias", [17]))
    check.input([rows, 9])
    try check.check(step: 1) { $0[0].linear(weight, bias: bias) }
  }

  /// Maps that nobody holds but their readers, so that the gradients take their memory.
  @Test func oneOperationAfterAnother() throws {
    let check = GradientCheck()
    let weight = check.parameter("weight", [16, 16, 3, 3])
    let (matrix, bias) = (check.parameter("matrix", [17, 16]), check.parameter("bias", [17]))
    check.input([2, 9, 7, 16])
    try check.check(step: 1) {
      let map = $0[0].convolution(weight, padding: 1).convolution(weight, padding: 1)
      return map.reshaped([126, 16]).linear(matrix, bias: bias)
    }
  }

  @Test func linearOfNoRowsHasZeroGradients() throws {
    let check = GradientCheck()
    let (weight, bias) = (check.parameter("weight", [17, 9]), check.parameter("bias", [17]))
    check.store.allocate(seed: 1)
    check.input([0, 9])
    let result = try check.run(gradient: []) { $0[0].linear(weight, bias: bias, relu: true) }
    #expect(result.output.isEmpty && result.inputs == [[]] && result.parameters.allSatisfy { $0 == 0 })
  }

  @Test(arguments: [(3, 1, 1, 9), (1, 2, 0, 17), (3, 1, 1, 16)], [true, false])
  func convolutionWithFrozenNorm(_ sizes: (kernel: Int, stride: Int, padding: Int, channels: Int), trains: Bool) throws
  {
    let check = GradientCheck()
    let weight = check.parameter("weight", [sizes.channels, 16, sizes.kernel, sizes.kernel])
    let norm = check.norm(sizes.channels, isTrainable: trains)
    check.input([2, 17, 16, 16])
    check.input([2, (17 - 1) / sizes.stride + 1, (16 - 1) / sizes.stride + 1, sizes.channels])
    try check.check(step: 0.25) {
      $0[0].convolution(weight, frozenNorm: norm, stride: sizes.stride, padding: sizes.padding, residual: $0[1])
    }
  }

  /// A channel with γ = 0 passes nothing on, and still learns its γ.
  @Test func frozenNormWithAWeightOfZero() throws {
    let check = GradientCheck()
    let weight = check.parameter("weight", [16, 16, 3, 3])
    let norm = check.norm(16)
    check.store.allocate(seed: 7)
    (norm.weight.values[5], norm.weight.values[6]) = (0, -1e-25)
    check.input([2, 17, 16, 16])
    try check.check(step: 0.25) { $0[0].convolution(weight, frozenNorm: norm, padding: 1) }
    let gradient = try check.run(gradient: check.numbers(2 * 17 * 16 * 16)) {
      $0[0].convolution(weight, frozenNorm: norm, padding: 1)
    }.parameters
    #expect((weight.count..<weight.count + 16).allSatisfy { abs(gradient[$0]) > 1e-3 })
    #expect((5 * 144..<6 * 144).allSatisfy { gradient[$0] == 0 })
  }

  @Test func frozenNormIsTheNormAfterTheConvolution() throws {
    let check = GradientCheck()
    let weight = check.parameter("w", [17, 16, 3, 3])
    let norm = check.norm(17)
    check.store.allocate(seed: 3)
    check.input([1, 9, 8, 16])
    let plain = try check.run(gradient: nil) { $0[0].convolution(weight, padding: 1) }.output
    let folded = try check.run(gradient: nil) { $0[0].convolution(weight, frozenNorm: norm, padding: 1) }.output
    let (mean, variance) = (norm.runningMean!.values, norm.runningVar!.values)
    let expected = plain.enumerated().map { i, value in
      let c = i % 17
      return (value - mean[c]) / (variance[c] + 1e-5).squareRoot() * norm.weight.values[c] + norm.bias.values[c]
    }
    expectCloseToMaximum(folded, expected, 1e-6)
  }

  @Test(arguments: [1, 8, 17]) func batchNorm(channels: Int) throws {
    let check = GradientCheck()
    let norm = check.norm(channels)
    for _ in 0..<2 { check.input([2, 7, 5, channels]) }
    try check.check { try $0[0].batchNorm(norm, residual: $0[1]) }
  }

  @Test(arguments: [1, 2, 9, 18]) func groupNorm(groups: Int) throws {
    let check = GradientCheck()
    let norm = check.norm(18)
    for _ in 0..<2 { check.input([2, 7, 5, 18]) }
    try check.check { $0[0].groupNorm(norm, groups: groups, residual: $0[1]) }
  }

  @Test(arguments: [(3, 2, 1), (1, 2, 0), (2, 1, 0)]) func maxPool(kernel: Int, stride: Int, padding: Int) throws {
    let check = GradientCheck()
    var random = KeyedRandom(seed: 1, purpose: .test)
    check.input([2, 7, 5, 1], random.permutation(70).map { Float($0) })
    try check.check(step: 0.25) { $0[0].maxPool(kernel: kernel, stride: stride, padding: padding) }
  }

  @Test func addUpsampled() throws {
    let check = GradientCheck()
    let weight = check.parameter("weight", [8, 8, 1, 1])
    check.input([2, 7, 9, 8])
    check.input([2, 4, 5, 8])
    try check.check(step: 1) {
      let lateral = $0[0].convolution(weight)
      lateral.addUpsampled($0[1])
      return lateral
    }
  }

  /// An operation that ends in ReLU, and the same operation with ReLU after it.
  @Test(arguments: ["convolution", "linear", "frozen", "batch", "group"]) func reluAtTheEnd(_ operation: String) throws
  {
    let check = GradientCheck()
    let norm = check.norm(8)
    let (weight, bias) = (check.parameter("w", [8, 8, 3, 3]), check.parameter("b", [8]))
    let matrix = check.parameter("m", [8, 8])
    check.store.allocate(seed: 3)
    check.input(operation == "linear" ? [33, 8] : [2, 7, 9, 8])
    if operation != "linear", operation != "convolution" { check.input([2, 7, 9, 8]) }
    func apply(_ x: [Tensor], _ relu: Bool) throws -> Tensor {
      switch operation {
      case "convolution": return x[0].convolution(weight, bias: bias, padding: 1, relu: relu)
      case "linear": return x[0].linear(matrix, bias: bias, relu: relu)
      case "frozen": return x[0].convolution(weight, frozenNorm: norm, padding: 1, residual: x[1], relu: relu)
      case "batch": return try x[0].batchNorm(norm, residual: x[1], relu: relu)
      default: return x[0].groupNorm(norm, groups: 2, residual: x[1], relu: relu)
      }
    }
    let covector = check.numbers(operation == "linear" ? 33 * 8 : 2 * 7 * 9 * 8)
    let fused = try check.run(gradient: covector) { try apply($0, true) }
    let plain = try check.run(gradient: covector) { try apply($0, false).relu() }
    #expect(fused.output == plain.output && fused.output.contains(0))
    for (a, b) in zip(fused.inputs + [fused.parameters], plain.inputs + [plain.parameters]) {
      expectCloseToMaximum(a, b, 1e-6)
    }
  }

  @Test func theSameBitsOnOneThreadAndTwo() throws {
    let check = GradientCheck()
    let norm = check.norm(32)
    let (weight, bias) = (check.parameter("w", [32, 32, 3, 3]), check.parameter("b", [32]))
    check.store.allocate(seed: 3)
    check.input([2, 33, 17, 32])
    let covector = check.numbers(2 * 17 * 9 * 32)
    let results = try [1, 2].map { threads in
      try check.run(
        threads: threads,
        gradient: covector
      ) {
        try $0[0].convolution(weight, bias: bias, padding: 1).batchNorm(norm, relu: true)
          .groupNorm(norm, groups: 4).maxPool(kernel: 3, stride: 2, padding: 1)
      }
    }
    #expect(results[0].output == results[1].output && results[0].inputs == results[1].inputs)
    #expect(results[0].parameters == results[1].parameters)
  }
}
