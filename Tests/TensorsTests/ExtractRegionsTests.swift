import Kernels
import Primitives
import Tensors
import TestSupport
import Testing

@Suite struct ExtractRegionsTests {
  private let sizes = [(16, 20), (8, 10), (4, 5)]
  private let regions = (0..<6).map {
    RegionOfInterest(image: $0 % 2, x1: Float(3 * $0), y1: 2, x2: Float(10 * $0 + 9), y2: Float(40 + 2 * $0))
  }

  /// Each level in turn gets no region and holds an infinity and a NaN: it must not be looked at, and its gradient
  /// must be there, all zero.
  @Test(arguments: [true, false]) func aLevelWithoutRegionsStaysInTheGraph(pools: Bool) throws {
    for starved in sizes.indices {
      let engine = trainingEngine()
      let levels = pyramid(on: engine)
      (levels[starved].values[0], levels[starved].values[7]) = (.infinity, .nan)
      let output = extract(
        from: levels, levelOf: regions.indices.map { (starved + 1 + $0 % 2) % 3 }, pools: pools, on: engine)
      #expect(output.array.allSatisfy { $0.isFinite })
      try engine.tape!.backward(from: output.sum())
      let gradients = try levels.map { try #require($0.gradientArray) }
      for (level, gradient) in gradients.enumerated() {
        #expect(gradient.allSatisfy { $0 == 0 } == (level == starved))
        #expect(gradient.allSatisfy { $0.isFinite })
      }
    }
  }

  /// The first of equal maxima gets the whole gradient: here the upper left cell of each bin.
  @Test func poolingBreaksTiesByOrder() throws {
    let engine = trainingEngine()
    let map = Tensor([1, 4, 4, 1], [Float](repeating: 3, count: 16), on: engine, needsGradient: true)
    let output = Tensor.extractRegions(
      by: RoIPool(outputHeight: 2, outputWidth: 2), from: [map], strides: [1],
      regions: [.init(image: 0, x1: 0, y1: 0, x2: 3, y2: 3)], levelOf: [0], keepLevelsInGraph: true, on: engine)
    #expect(output.array == [3, 3, 3, 3])
    try engine.tape!.backward(from: output.sum())
    #expect(map.gradientArray == [1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0])
  }

  @Test func withoutKeepingItAnUnusedLevelHasNoGradient() throws {
    let engine = trainingEngine()
    let levels = pyramid(on: engine)
    let output = extract(from: levels, levelOf: [0, 0, 2, 0, 0, 2], keep: false, on: engine)
    try engine.tape!.backward(from: output.sum())
    #expect(levels.map { $0.hasGradient } == [true, false, true])
  }

  @Test(arguments: [true, false]) func noRegionsAtAll(keep: Bool) throws {
    let engine = trainingEngine()
    let levels = pyramid(on: engine)
    let output = extract(from: levels, regions: [], levelOf: [], keep: keep, on: engine)
    #expect(output.shape == [0, 3, 2, 5])
    try engine.tape!.backward(from: output.sum())
    for level in levels { #expect(level.gradientArray == (keep ? [Float](repeating: 0, count: level.count) : nil)) }
  }

  @Test func gradientsAreAddedToWhatIsThere() throws {
    let engine = trainingEngine()
    let levels = pyramid(on: engine)
    let fresh = pyramid(on: engine)
    let levelOf = [0, 1, 2, 0, 1, 2]
    for (index, level) in levels.enumerated() {
      let target = level.gradientSlot.toAddTo()
      for i in 0..<level.count { target[i] = Float(index + 1) }
    }
    try engine.tape!.backward(from: extract(from: fresh, levelOf: levelOf, on: engine).sum())
    try engine.tape!.backward(from: extract(from: levels, levelOf: levelOf, on: engine).sum())
    for (index, (level, other)) in zip(levels, fresh).enumerated() {
      expectClose(level.gradientArray!, other.gradientArray!.map { $0 + Float(index + 1) }, absolute: 1e-5)
    }
  }

  @Test func aFrozenLevelHasNoGradientAndInferenceRecordsNothing() throws {
    let engine = trainingEngine()
    var levels = pyramid(on: engine)
    levels[1] = Tensor(levels[1].shape, levels[1].array, on: engine)
    try engine.tape!.backward(from: extract(from: levels, levelOf: [0, 1, 2, 0, 1, 2], on: engine).sum())
    #expect(levels.map { $0.hasGradient } == [true, false, true])
    let inference = Engine(threads: 1)
    #expect(!extract(from: pyramid(on: inference), levelOf: [0, 1, 2, 0, 1, 2], on: inference).needsGradient)
  }

  /// RoIAlign is linear in the map: `⟨output(direction), g⟩ = ⟨direction, gradient⟩` for any direction.
  @Test func gradientByProjection() throws {
    let engine = trainingEngine()
    let (levels, directions) = (pyramid(on: engine), pyramid(on: engine, seed: 9))
    let levelOf = [0, 1, 2, 0, 1, 2]
    let moved = extract(from: directions, levelOf: levelOf, on: engine)
    let output = extract(from: levels, levelOf: levelOf, on: engine)
    let slopes = randomNumbers(output.count, seed: 5)
    let target = output.gradientSlot.toAddTo()
    for (i, slope) in slopes.enumerated() { target[i] = slope }
    try engine.tape!.backward(from: Tensor([1], on: engine))
    let forward = zip(moved.array, slopes).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    let backward = zip(directions, levels).reduce(0.0) { sum, pair in
      zip(pair.0.array, pair.1.gradientArray!).reduce(sum) { $0 + Double($1.0) * Double($1.1) }
    }
    #expect(abs(forward - backward) < 1e-4 * abs(forward))
  }

  /// A head on the regions' features, as the detector has it: what RoIPool reads of its output must still be there when
  /// the head's gradients come. The pooled maps' values are so far apart that the maxima stay where they are.
  @Test(arguments: [true, false]) func gradientWithAHead(pools: Bool) throws {
    let check = GradientCheck()
    let (weight, bias) = (check.parameter("weight", [17, 6]), check.parameter("bias", [17]))
    var random = KeyedRandom(seed: 4, purpose: .test)
    for (height, width) in [(6, 5), (4, 3), (2, 2)] {
      let count = 2 * height * width
      check.input([2, height, width, 1], pools ? random.permutation(count).map { Float($0 - count / 2) } : nil)
    }
    try check.check(step: pools ? 0.45 : 1) { levels in
      let features = extract(from: levels, levelOf: [0, 1, 2, 0, 1, 2], pools: pools, on: levels[0].engine)
      return features.reshaped([6, 6]).linear(weight, bias: bias)
    }
  }

  private func trainingEngine() -> Engine {
    let engine = Engine(threads: 2)
    engine.tape = Tape()
    return engine
  }

  private func pyramid(on engine: Engine, seed: UInt64 = 3) -> [Tensor] {
    sizes.map { height, width in
      let values = randomNumbers(2 * height * width * 5, seed: seed)
      return Tensor([2, height, width, 5], values, on: engine, needsGradient: true)
    }
  }

  private func randomNumbers(_ count: Int, seed: UInt64) -> [Float] {
    var random = KeyedRandom(seed: seed, purpose: .test, item: Int64(count))
    return (0..<count).map { _ in random.normal() }
  }

  private func extract(
    from levels: [Tensor], regions: [RegionOfInterest]? = nil, levelOf: [Int], keep: Bool = true, pools: Bool = false,
    on engine: Engine
  ) -> Tensor {
    let layer: any RoILayer =
      pools
      ? RoIPool(outputHeight: 3, outputWidth: 2)
      : RoIAlign(outputHeight: 3, outputWidth: 2, samplingRatio: 0, aligned: true)
    return .extractRegions(
      by: layer, from: levels, strides: [4, 8, 16], regions: regions ?? self.regions, levelOf: levelOf,
      keepLevelsInGraph: keep, on: engine)
  }
}
