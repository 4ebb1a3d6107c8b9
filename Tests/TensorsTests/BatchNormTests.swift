import Tensors
import TestSupport
import Testing

@Suite struct BatchNormTests {
  /// Two ranks that take turns: what the other rank adds was noted before.
  final class FakeRank: StatisticsSynchronizer {
    var others: [[Double]] = []
    var own: [[Double]] = []

    func sum(_ values: inout [Double]) throws {
      own.append(values)
      guard own.count <= others.count else { return }
      for i in values.indices { values[i] += others[own.count - 1][i] }
    }
  }

  /// A rank of its own with the same parameters.
  private func rank(
    _ shape: [Int], _ values: [Float], gradient: [Float]?, _ synchronizer: FakeRank?
  ) throws -> (output: [Float], input: [Float], parameters: [Float], running: [Float]) {
    let check = GradientCheck()
    let norm = check.norm(3)
    check.store.allocate(seed: 5)
    let engine = Engine(threads: 1)
    engine.tape = Tape()
    let x = Tensor(shape, values, on: engine, needsGradient: true)
    let y = try x.batchNorm(norm, relu: true, synchronizer: synchronizer)
    let output = y.array
    if let gradient {
      try backward(from: y, gradient)
    } else {
      try engine.tape!.backward(from: Tensor([1], [0], on: engine, needsGradient: true))
    }
    let running = (0..<3).map { norm.runningMean!.values[$0] } + (0..<3).map { norm.runningVar!.values[$0] }
    return (output, x.gradientArray ?? [], (0..<6).map { check.store.gradients[$0] }, running)
  }

  /// Each rank runs until its part of the two sums stands, as often as there are sums.
  private func ranks(
    _ parts: [(shape: [Int], values: [Float], gradient: [Float]?)]
  ) throws -> [(output: [Float], input: [Float], parameters: [Float], running: [Float])] {
    var sums: [[[Double]]] = [[], []]
    for sumsKnown in 0..<2 {
      let fakes = try parts.indices.map { i in
        let fake = FakeRank()
        fake.others = sums[1 - i]
        _ = try rank(parts[i].shape, parts[i].values, gradient: parts[i].gradient, fake)
        #expect(fake.own.count == 2)
        return fake
      }
      for i in 0..<2 { sums[i] = Array(fakes[i].own.prefix(sumsKnown + 1)) }
    }
    return try parts.indices.map { i in
      let fake = FakeRank()
      fake.others = sums[1 - i]
      return try rank(parts[i].shape, parts[i].values, gradient: parts[i].gradient, fake)
    }
  }

  @Test(arguments: [true, false]) func twoRanksAreOneBatch(_ secondHasGradient: Bool) throws {
    let random = GradientCheck(seed: 2)
    let (x, dy) = (random.numbers(75), random.numbers(75))
    let secondGradient = secondHasGradient ? Array(dy[45...]) : nil
    let parts = try ranks([
      ([3, 5, 1, 3], Array(x[..<45]), Array(dy[..<45])), ([1, 10, 1, 3], Array(x[45...]), secondGradient),
    ])
    let wholeGradient = dy[..<45] + (secondGradient ?? [Float](repeating: 0, count: 30))
    let whole = try rank([1, 25, 1, 3], x, gradient: Array(wholeGradient), nil)
    expectClose(parts[0].output + parts[1].output, whole.output, absolute: 1e-6, "y")
    expectCloseToMaximum(parts[0].input + parts[1].input, whole.input, 1e-6, "dx")
    expectCloseToMaximum(zip(parts[0].parameters, parts[1].parameters).map { $0 + $1 }, whole.parameters, 1e-6)
    expectClose(parts[0].running, whole.running, absolute: 1e-6, "running statistics")
    #expect(parts[0].running == parts[1].running)
  }

  @Test func runningStatisticsMoveByATenthToTheUnbiasedVariance() throws {
    let store = ParameterStore()
    let zero = { store.add($0, shape: [1], isTrainable: false, initializer: .constant(0)) }
    let one = { store.add($0, shape: [1], isTrainable: false, initializer: .constant(1)) }
    let norm = NormParameters(
      weight: one("weight"), bias: zero("bias"), runningMean: zero("mean"), runningVar: one("var"), epsilon: 0)
    let unit = store.add("unit", shape: [1, 1, 1, 1], isTrainable: false, initializer: .constant(1))
    store.allocate(seed: 0)
    let y = try Tensor([2, 1, 2, 1], [1, 2, 3, 6], on: Engine(threads: 1)).batchNorm(norm)
    expectClose([norm.runningMean!.values[0]], [0.3], relative: 1e-6)
    expectClose([norm.runningVar!.values[0]], [0.9 + 0.1 * 14 / 3], relative: 1e-6)
    let deviation = Float(3.5).squareRoot()
    expectClose(y.array, [-2 / deviation, -1 / deviation, 0, 3 / deviation], absolute: 1e-6)
    let frozen = Tensor([1, 1, 1, 1], [1.3], on: Engine(threads: 1)).convolution(unit, frozenNorm: norm)
    expectClose(frozen.array, [1 / (0.9 + 0.1 * 14 / 3 as Float).squareRoot()], relative: 1e-6)
  }
}
