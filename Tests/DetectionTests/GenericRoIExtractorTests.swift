import Detection
import Kernels
import Layers
import Primitives
import Tensors
import TestSupport
import Testing

/// `GenericRoIExtractor` by what it is made of: the regions cut from each level by `SingleRoIExtractor` of one level.
@Suite struct GenericRoIExtractorTests {
  private static let strides = [4, 8, 16]
  private let network = Network()

  private var levels: [Tensor] {
    var random = KeyedRandom(seed: 4, purpose: .test)
    return Self.strides.map { stride in
      let side = 64 / stride
      return Tensor(
        [2, side, side, 3], (0..<2 * side * side * 3).map { _ in random.uniform() }, on: network.engine,
        needsGradient: true)
    }
  }

  private static let regions = [
    RegionOfInterest(image: 0, x1: 3, y1: 5, x2: 20, y2: 33), RegionOfInterest(image: 1, x1: 10, y1: 1, x2: 63, y2: 60),
  ]

  private func configuration(_ strides: [Int] = strides) -> GenericRoIExtractorConfiguration {
    var configuration = GenericRoIExtractorConfiguration()
    (configuration.cut.featmapStrides, configuration.cut.outChannels) = (strides, 3)
    (configuration.cut.outputHeight, configuration.cut.outputWidth) = (2, 3)
    return configuration
  }

  private func cuts(_ levels: [Tensor], scaleFactor: Float? = nil) -> [[Float]] {
    let regions = scaleFactor.map { factor in Self.regions.map { $0.scaled(by: factor) } } ?? Self.regions
    return zip(levels, Self.strides).map { level, stride in
      SingleRoIExtractor(configuration: configuration([stride]).cut)(
        [level], regions: regions, scaleFactor: nil, on: network.engine
      ).array
    }
  }

  @Test func sumOfProcessedLevels() throws {
    var configuration = configuration()
    // On positive features: 2 f + 1/2, then 3 times the sum.
    let module = GenericRoIExtractorConfiguration.Module(inChannels: 3, outChannels: 3)
    (configuration.pre, configuration.post) = (module, module)
    configuration.post?.relu = false
    let extractor = RoIExtractorConfiguration.generic(configuration).make(
      keepLevelsInGraph: true, in: network.scope.scope("e"))
    network.store.allocate(seed: 0)
    #expect(
      network.store.parameters.map(\.name) == [
        "e.pre_module.conv.weight", "e.pre_module.conv.bias", "e.post_module.conv.weight", "e.post_module.conv.bias",
      ])
    for (parameter, values) in zip(
      network.store.parameters,
      [[2, 0, 0, 0, 2, 0, 0, 0, 2], [0.5, 0.5, 0.5], [3, 0, 0, 0, 3, 0, 0, 0, 3], [0, 0, 0]] as [[Float]])
    {
      parameter.importValues(values, into: parameter.values)
    }
    let levels = levels
    let output = try extractor(levels, regions: Self.regions, on: network.engine)
    let cuts = cuts(levels)
    let expected = cuts[0].indices.map { i in cuts.reduce(Float(0)) { $0 + 3 * (2 * $1[i] + 0.5) } }
    expectClose(output.array, expected, relative: 1e-5, "sum")
    try network.engine.tape?.backward(from: output.sum())
    for level in levels { #expect(try #require(level.gradientArray).contains { $0 != 0 }) }
  }

  @Test func levelsSideBySideOfStretchedRegions() throws {
    var configuration = configuration()
    (configuration.aggregation, configuration.cut.outChannels) = (.concat, 9)
    let extractor = RoIExtractorConfiguration.generic(configuration).make(keepLevelsInGraph: true, in: network.scope)
    let levels = levels
    let output = try extractor(levels, regions: Self.regions, scaleFactor: 1.3, on: network.engine)
    #expect(output.shape == [2, 2, 3, 9])
    let cuts = cuts(levels, scaleFactor: 1.3)
    let cells: [[Float]] = (0..<12).map { cell in
      var values: [Float] = []
      for cut in cuts { values += cut[3 * cell..<3 * cell + 3] }
      return values
    }
    #expect(output.array == cells.flatMap { $0 })
  }

  /// As in mmdetection, a single level is taken as it is: neither processed nor stretched.
  @Test func aSingleLevelIsTakenAsItIs() throws {
    let extractor = RoIExtractorConfiguration.generic(configuration([4])).make(
      keepLevelsInGraph: true, in: network.scope)
    let levels = levels
    let output = try extractor(levels, regions: Self.regions, scaleFactor: 1.3, on: network.engine)
    #expect(output.array == cuts(levels)[0])
    let single = SingleRoIExtractor(configuration: configuration([4]).cut)
    #expect(single(levels, regions: Self.regions, scaleFactor: 1.3, on: network.engine).array == output.array)
  }

  /// No regions: every level and parameter gets a gradient of exact zeros.
  @Test func noRegions() throws {
    var configuration = configuration()
    configuration.pre = .init(inChannels: 3, outChannels: 3)
    configuration.pre?.kernel = 5
    let extractor = RoIExtractorConfiguration.generic(configuration).make(keepLevelsInGraph: true, in: network.scope)
    network.store.allocate(seed: 0)
    let levels = levels
    let output = try extractor(levels, regions: [], on: network.engine)
    #expect(output.shape == [0, 2, 3, 3])
    try network.engine.tape?.backward(from: output.sum())
    for level in levels { #expect(level.gradientArray?.allSatisfy { $0 == 0 } == true) }
    #expect((0..<network.store.trainableCount).allSatisfy { network.store.gradients[$0] == 0 })
  }
}
