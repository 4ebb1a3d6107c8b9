import Detection
import Primitives
import TestSupport
import Testing

@Suite struct AnchorGeneratorTests {
  @Test func anchorsAndFlagsAreMMDetections() throws {
    let cases = try GoldenCase.all("anchors")
    #expect(cases.count == 11)
    for golden in cases {
      let generator = AnchorGenerator(try configuration(golden))
      let sizes = try golden.sizes("inputs/featmap_sizes")
      let grid = generator.gridAnchors(featmapSizes: sizes)
      #expect(generator.numBaseAnchors.map(Double.init) == golden.numbers("num_base_anchors"))
      try checkAnchors(golden, generator, grid, levels: sizes.count)
      try checkFlags(golden, generator, sizes, grid)
    }
  }

  /// Those of mmdetection 1, octaves, other centres and sizes.
  @Test func furtherAnchorsAreMMDetections() throws {
    let cases = try GoldenCase.all("legacy2").filter { $0.string("fn") == "anchors" }
    #expect(!cases.isEmpty)
    for golden in cases {
      let generator = AnchorGenerator(try golden.settings().anchorGenerator)
      let grid = generator.gridAnchors(featmapSizes: try golden.sizes("inputs/featmap_sizes"))
      try checkAnchors(golden, generator, grid, levels: #require(golden.integer("num_levels")))
    }
  }

  private func checkAnchors(_ golden: GoldenCase, _ generator: AnchorGenerator, _ grid: [[Box]], levels: Int) throws {
    #expect(grid.count == levels, "\(golden)")
    for level in 0..<levels {
      expectClose(
        coordinates(generator.baseAnchors[level]), try golden.floats("expected/base_anchors_\(level)"),
        absolute: 1e-5, relative: 1e-6, "\(golden) base anchors")
      expectClose(
        coordinates(grid[level]), try golden.floats("expected/grid_anchors_\(level)"), absolute: 1e-5,
        relative: 1e-6, "\(golden) grid anchors")
    }
  }

  private func checkFlags(
    _ golden: GoldenCase, _ generator: AnchorGenerator, _ sizes: [ImageSize], _ grid: [[Box]]
  ) throws {
    let (padShapes, imgShapes) = (try golden.sizes("inputs/pad_shapes"), try golden.sizes("inputs/img_shapes"))
    for image in padShapes.indices {
      let flags = generator.validFlags(featmapSizes: sizes, padShape: padShapes[image])
      for level in sizes.indices {
        #expect(try flags[level] == golden.flags("expected/img\(image)_valid_flags_\(level)"), "\(golden)")
      }
      for (number, border) in try golden.floats("inputs/allowed_borders").enumerated() {
        let inside = AnchorGenerator.anchorInsideFlags(
          Array(grid.joined()), validFlags: Array(flags.joined()), imgShape: imgShapes[image], allowedBorder: border)
        #expect(try inside == golden.flags("expected/img\(image)_inside_flags_border\(number)"), "\(golden) \(border)")
      }
    }
  }

  private func configuration(_ golden: GoldenCase) throws -> AnchorGeneratorConfiguration {
    var result = try golden.settings().anchorGenerator
    let strides = try golden.integers("inputs/strides")
    result.strides = stride(from: 0, to: strides.count, by: 2).map { (strides[$0], strides[$0 + 1]) }
    result.ratios = try golden.floats("inputs/ratios")
    result.scales = try golden.floats("inputs/scales")
    return result
  }

  /// By the definition: half of a side less one from the centre, which is half of the base size less one, rounded.
  @Test func legacyAnchorsNameTheirLastPixel() {
    var configuration = AnchorGeneratorConfiguration()
    (configuration.strides, configuration.ratios, configuration.scales) = ([(16, 16)], [1, 4], [1, 2])
    (configuration.centerOffset, configuration.isLegacy) = (0.5, true)
    #expect(
      AnchorGenerator(configuration).baseAnchors == [
        [Box(0, 0, 15, 15), Box(-8, -8, 23, 23), Box(4, -8, 11, 23), Box(0, -24, 15, 39)]
      ])
    configuration.baseSizes = [9]
    (configuration.ratios, configuration.scales) = ([1], [1])
    #expect(AnchorGenerator(configuration).baseAnchors == [[Box(0, 0, 8, 8)]])
  }
}
