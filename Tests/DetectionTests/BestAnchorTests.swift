import Detection
import Primitives
import Testing

/// Beside the largest IoU with all anchors of the grid, one by one.
@Suite struct BestAnchorTests {
  private func best(
    _ box: Box, _ generator: AnchorGenerator, levels: [ImageSize], _ imgShape: ImageSize, _ padShape: ImageSize,
    border: Float
  ) -> Float? {
    let flags = generator.validFlags(featmapSizes: levels, padShape: padShape)
    return zip(generator.gridAnchors(featmapSizes: levels), flags).compactMap { anchors, flags in
      let inside = AnchorGenerator.anchorInsideFlags(
        anchors, validFlags: flags, imgShape: imgShape, allowedBorder: border)
      return zip(anchors, inside).filter(\.1).map { BoxOverlaps.overlap(box, $0.0) }.max()
    }.max()
  }

  private func generators() -> [AnchorGenerator] {
    var pyramid = AnchorGeneratorConfiguration()
    pyramid.scales = [8, 11.3]
    var single = AnchorGeneratorConfiguration()
    (single.strides, single.scales, single.scaleMajor) = ([(16, 16)], [2, 4, 8], false)
    var uneven = AnchorGeneratorConfiguration()
    (uneven.strides, uneven.baseSizes, uneven.centerOffset) = ([(8, 12), (20, 16)], [9, 30], 0.5)
    var legacy = AnchorGeneratorConfiguration()
    (legacy.isLegacy, legacy.centerOffset) = (true, 0.5)
    return [pyramid, single, uneven, legacy].map(AnchorGenerator.init)
  }

  @Test(arguments: [-1, 0, 16] as [Float]) func largestOverlap(border: Float) throws {
    var random = KeyedRandom(seed: 3, purpose: .scale, epoch: 0, item: 0)
    let (imgShape, padShape) = (ImageSize(height: 150, width: 211), ImageSize(height: 160, width: 224))
    for (index, generator) in generators().enumerated() {
      let strides = [[4, 8, 16, 32, 64].map { ($0, $0) }, [(16, 16)], [(8, 12), (20, 16)]][index % 3]
      let levels = strides.map { stride in
        ImageSize(height: (160 + stride.1 - 1) / stride.1, width: (224 + stride.0 - 1) / stride.0)
      }
      var found = 0
      for _ in 0..<150 {
        let (x, y) = (random.uniform() * 205, random.uniform() * 145)
        let longest = random.uniform() < 0.3 ? Float(20) : 211
        let box = Box(x, y, min(211, x + 1 + random.uniform() * longest), min(150, y + 1 + random.uniform() * longest))
        let expected = best(box, generator, levels: levels, imgShape, padShape, border: border)
        let best = generator.bestAnchor(for: box, imgShape: imgShape, padShape: padShape, allowedBorder: border)
        #expect((best == nil) == (expected == nil))
        guard let best, let expected else { continue }
        found += 1
        #expect(abs(best.overlap - expected) <= 1e-6, "\(index) \(box)")
        #expect(generator.baseAnchors[best.level].indices.contains(best.base))
      }
      #expect(found == 150 || found == 0)
    }
  }

  @Test func noAnchorFits() {
    var configuration = AnchorGeneratorConfiguration()
    configuration.scales = [64]
    let size = ImageSize(height: 32, width: 32)
    let generator = AnchorGenerator(configuration)
    let box = Box(4, 4, 20, 20)
    #expect(generator.bestAnchor(for: box, imgShape: size, padShape: size, allowedBorder: 0) == nil)
    #expect(generator.bestAnchor(for: box, imgShape: size, padShape: size) != nil)
  }
}
