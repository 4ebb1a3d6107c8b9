import Detection
import Primitives
import TestSupport
import Testing

@Suite struct AnchorTargetsTests {
  /// - Parameters:
  ///   - images: those of the case that make the batch; nil: all.
  ///   - items: what the generator of each of the case's images is keyed by; nil: its number.
  private func targets(
    _ golden: GoldenCase, _ configuration: RPNHeadConfiguration, images: [Int]? = nil, items: [Int64]? = nil
  ) throws -> AnchorTargets {
    let all = try golden.sizes("inputs/img_shapes").indices
    let (images, items) = (images ?? Array(all), items ?? all.map(Int64.init))
    let (metas, targets) = (try golden.metas(), try golden.targets())
    let maps = try configuration.anchorGenerator.strides.indices.map {
      let shape = try golden.shape("inputs/feats_\($0)")
      return ImageSize(height: shape[2], width: shape[3])
    }
    return try AnchorTargeter(configuration).targets(
      featmapSizes: maps, metas: images.map { metas[$0] }, targets: images.map { targets[$0] },
      randoms: images.map { KeyedRandom(seed: 1, purpose: .test, item: items[$0]) })
  }

  @Test func targetsAreMMDetections() throws {
    let cases = try GoldenCase.all("rpn")
    #expect(cases.count == 10)
    let compared = cases.filter { $0.flag("expected_targets_none") == false }
    #expect(compared.count == 9)
    for golden in compared {
      let targets = try targets(golden, try golden.settings().rpnHead)
      #expect(try [targets.numTotalPos] == golden.integers("expected/num_total_pos"), "\(golden)")
      #expect(try [targets.numTotalNeg] == golden.integers("expected/num_total_neg"), "\(golden)")
      #expect(targets.averageFactor == Double(targets.numTotalPos + targets.numTotalNeg))
      for (number, level) in LevelSamples.all(targets, try golden.settings().rpnHead).enumerated() {
        try check(level, number, weight: targets.positiveWeight, golden)
      }
    }
  }

  /// mmdetection's targets are dense, `[images, anchors of the level]`.
  private func check(_ level: LevelSamples, _ number: Int, weight: Float, _ golden: GoldenCase) throws {
    let count = try golden.integers("expected/labels_\(number)").count
    var labels = [Int](repeating: 1, count: count)
    var weights = [Float](repeating: 0, count: count)
    var deltas = [Float](repeating: 0, count: 4 * count)
    var deltaWeights = deltas
    for element in level.negatives { weights[element] = 1 }
    for (i, element) in level.positives.enumerated() {
      labels[element] = 0
      weights[element] = weight
      deltas.replaceSubrange(4 * element..<4 * element + 4, with: level.positiveTargets[4 * i..<4 * i + 4])
      deltaWeights.replaceSubrange(4 * element..<4 * element + 4, with: [1, 1, 1, 1])
    }
    #expect(try labels == golden.integers("expected/labels_\(number)"), "\(golden) level \(number)")
    #expect(try weights == golden.floats("expected/label_weights_\(number)"), "\(golden) level \(number)")
    #expect(try deltaWeights == golden.floats("expected/bbox_weights_\(number)"), "\(golden) level \(number)")
    expectClose(
      deltas, try golden.floats("expected/bbox_targets_\(number)"), absolute: 1e-5, relative: 1e-6,
      "\(golden) level \(number)")
  }

  @Test func imagesAndCellsSayTheSame() throws {
    for golden in try GoldenCase.all("rpn") {
      let targets = try targets(golden, try golden.settings().rpnHead)
      let levels = LevelSamples.all(targets, try golden.settings().rpnHead)
      let starts = targets.anchorsALevel.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
      for number in targets.images.indices {
        func ofImage(_ elements: (LevelSamples) -> [Int]) -> [Int] {
          levels.enumerated().flatMap { level, samples in
            elements(samples).filter { $0 / targets.anchorsALevel[level] == number }.map {
              $0 % targets.anchorsALevel[level] + starts[level]
            }
          }
        }
        #expect(targets.images[number].positives == ofImage(\.positives), "\(golden) image \(number)")
        #expect(targets.images[number].negatives == ofImage(\.negatives), "\(golden) image \(number)")
        #expect(targets.images[number].positiveTargets.count == 4 * targets.images[number].positives.count)
        #expect(targets.images[number].positiveBoxes.count == targets.images[number].positives.count)
      }
    }
  }

  /// mmdetection raises an error here.
  @Test func anImageWithoutValidAnchorsHasNoSamples() throws {
    let golden = try #require(try GoldenCase.all("rpn").first { $0.flag("expected_targets_none") == true })
    let targets = try targets(golden, try golden.settings().rpnHead)
    #expect(!targets.images[0].negatives.isEmpty)
    #expect(targets.images[1].positives.isEmpty && targets.images[1].negatives.isEmpty)
    #expect(
      targets.averageFactor
        == Double(max(targets.images[0].positives.count, 1) + targets.images[0].negatives.count + 2))
  }

  @Test func samplesDependOnTheImagesOwnGeneratorOnly() throws {
    let golden = try GoldenCase.all("rpn")[0]
    var configuration = try golden.settings().rpnHead
    configuration.sampler = .random(try golden.settings("train_cfg").randomSampler(num: 16))
    let together = try targets(golden, configuration).images
    #expect(together.count == 2)
    for (number, image) in together.enumerated() {
      #expect(image.positives.count + image.negatives.count == 16)
      let alone = try targets(golden, configuration, images: [number]).images[0]
      #expect(alone.positives == image.positives && alone.negatives == image.negatives, "image \(number)")
    }
    let other = try targets(golden, configuration, items: [7, 1]).images
    #expect(other[0].negatives != together[0].negatives, "another generator chooses the same")
    #expect(other[1].positives == together[1].positives && other[1].negatives == together[1].negatives)
  }
}

/// The samples of a level as elements of its map `[N, H, W, A]`, from the cells that the head is run on.
private struct LevelSamples {
  var positives: [Int] = []
  var negatives: [Int] = []
  var positiveTargets: [Float] = []

  static func all(_ targets: AnchorTargets, _ configuration: RPNHeadConfiguration) -> [LevelSamples] {
    let anchors = AnchorGenerator(configuration.anchorGenerator).numBaseAnchors[0]
    let cells = targets.cells(anchorsACell: anchors)
    let places = cells.ofLevel.enumerated().flatMap { level, cells in cells.map { (level, Int($0)) } }
    var levels = cells.ofLevel.map { _ in LevelSamples() }
    for (i, element) in cells.positives.map(Int.init).enumerated() {
      let (level, cell) = places[element / anchors]
      levels[level].positives.append(cell * anchors + element % anchors)
      levels[level].positiveTargets += cells.positiveTargets[4 * i..<4 * i + 4]
    }
    for element in cells.negatives.map(Int.init) {
      let (level, cell) = places[element / anchors]
      levels[level].negatives.append(cell * anchors + element % anchors)
    }
    return levels
  }
}
