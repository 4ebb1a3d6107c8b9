import Detection
import Kernels
import Layers
import Primitives
import Tensors
import TestSupport
import Testing

/// What a cascade does between its stages, against the rules of mmdetection's `CascadeRoIHead` written out.
@Suite struct CascadeTests {
  private let picture = ImageSize(height: 40, width: 60)
  private let draws = Draws(seed: 3, epoch: 0)

  /// Two images, the second without objects.
  private func input(on engine: Engine) -> DetectorInput {
    DetectorInput(
      images: Tensor([2, 40, 60, 3], on: engine),
      metas: [1, 2].map { ImageMeta(imageID: $0, imgShape: picture, padShape: picture) },
      targets: [
        ImageTargets(gtBoxes: [Box(2, 2, 20, 18), Box(30, 10, 58, 38)], gtLabels: [2, 0]),
        ImageTargets(gtBoxes: [], gtLabels: []),
      ])
  }

  private var proposals: [[Proposal]] {
    [
      [Box(3, 1, 22, 19), Box(28, 12, 59, 40), Box(10, 20, 30, 35), Box(50, 0, 60, 10)],
      [Box(4, 4, 20, 12), Box(40, 20, 60, 40)],
    ].map { boxes in boxes.enumerated().map { Proposal(box: $1, score: 1, anchor: 100 + 7 * $0) } }
  }

  @Test(arguments: [true, false])
  func sampledProposalsAreMovedByTheirOwnClass(_ isClassAgnostic: Bool) throws {
    let cascade = Cascade(stages: 2, isClassAgnostic: isClassAgnostic)
    let (stage, input) = (cascade.head.stages[0], input(on: cascade.engine))
    let pass = try stage.pass(cascade.levels, proposals, input, draws)
    let (refined, hasDiverged) = stage.refined(proposals, pass, metas: input.metas)
    #expect(!hasDiverged && refined.map(\.count) == [4, 2])
    let coder = cascade.configuration.stages[0].bboxHead.bboxCoder.make()
    let (scores, deltas) = (try #require(pass.output.scores).array, try #require(pass.output.deltas).array)
    let labels = pass.samples.targets.labels
    #expect(labels == [2, 0, 2, 0, 3, 3, 3, 3])
    var row = 0
    for (image, sampled) in pass.samples.images.enumerated() {
      var expected: [Box] = []
      for (box, isAdded) in zip(sampled.boxes, sampled.posIsGt + sampled.negInds.map { _ in false }) {
        // Of a negative, the class with the highest score.
        let own = scores[4 * row..<4 * row + 3]
        let label = labels[row] < 3 ? labels[row] : own.firstIndex(of: own.max()!)! - 4 * row
        let first = isClassAgnostic ? 4 * row : 12 * row + 4 * label
        if !isAdded {
          expected += coder.decode([box], deltas: Array(deltas[first..<first + 4]), maxShape: picture)
        }
        row += 1
      }
      #expect(refined[image].map(\.box) == expected, "image \(image)")
    }
    #expect(Set(refined[0].map(\.anchor)) == Set(proposals[0].map(\.anchor)))
    #expect(zip(refined[0], pass.samples.images[0].origins.compactMap { $0 }).allSatisfy { $0.anchor == 100 + 7 * $1 })
  }

  /// The losses are those of each stage by itself, on the boxes of the one before; no gradient passes through the boxes.
  @Test func stagesFollowEachOther() throws {
    let cascade = Cascade(stages: 3)
    let input = input(on: cascade.engine)
    let terms = cascade.head.terms.terms.map(\.name)
    #expect(terms.count == 9 && terms[3...5] == ["s1.loss_cls", "s1.acc", "s1.loss_bbox"])
    let pending = try cascade.head.train(cascade.levels, proposals, input, draws)
    let values = try pending.finish(pending.counts)
    var current = proposals
    for (number, stage) in cascade.head.stages.enumerated() {
      let pass = try stage.pass(cascade.levels, current, input, draws)
      let losses = stage.losses(of: pass)
      let expected = try losses.finish(losses.counts)
      #expect(pending.counts[2 * number..<2 * number + 2] == losses.counts[...])
      #expect(values[3 * number..<3 * number + 3].map(\.value) == expected.map(\.value), "stage \(number)")
      current = stage.refined(current, pass, metas: input.metas).proposals
    }
    #expect(values[6].value != values[0].value)
  }

  @Test func stageWeightsMultiplyLossesAndGradientsStayInTheirStage() throws {
    let (plain, weighted) = (Cascade(stages: 2), Cascade(stages: 2, weights: [0, 0.5]))
    let losses = try [plain, weighted].map { cascade in
      let pending = try cascade.head.train(cascade.levels, proposals, input(on: cascade.engine), draws)
      let terms = try pending.finish(pending.counts)
      try cascade.engine.tape?.backward(from: terms.total)
      return terms.map(\.value)
    }
    #expect(losses[1][0] == 0 && losses[1][2] == 0 && losses[1][1] == losses[0][1])
    expectClose([Float(losses[1][3])], [0.5 * Float(losses[0][3])], relative: 1e-6, "s1.loss_cls")
    #expect(plain.gradients("0.").contains { $0 != 0 } && plain.gradients("1.").contains { $0 != 0 })
    #expect(weighted.gradients("0.").allSatisfy { $0 == 0 } && weighted.gradients("1.").contains { $0 != 0 })
    let names = plain.store.parameters.map(\.name)
    #expect(
      names.contains("roi_head.bbox_head.0.shared_fcs.0.weight") && names.contains("roi_head.bbox_head.1.fc_reg.bias"))
  }

  /// A rank whose images have neither objects nor proposals still reports, and gives every parameter a gradient of zeros.
  @Test func stagesWithoutRegionsGiveExactZeros() throws {
    let cascade = Cascade(stages: 3)
    let metas = input(on: cascade.engine).metas
    let input = DetectorInput(
      images: Tensor([2, 40, 60, 3], on: cascade.engine), metas: metas,
      targets: metas.map { _ in ImageTargets(gtBoxes: [], gtLabels: []) })
    let pending = try cascade.head.train(cascade.levels, [[], []], input, draws)
    #expect(pending.counts == [0, 0, 0, 0, 0, 0])
    let terms = try pending.finish([8, 8, 8, 8, 8, 8])
    #expect(terms.map(\.value).allSatisfy { $0 == 0 })
    try cascade.engine.tape?.backward(from: terms.total)
    #expect(cascade.gradients("").allSatisfy { $0 == 0 })
    #expect(cascade.levels[0].gradientArray?.allSatisfy { $0 == 0 } == true)
    let detections = try cascade.inference { try $0.detect(cascade.levels, proposals: [[], []], metas: metas) }
    #expect(detections == [[], []])
  }

  /// What no loss looks at, the deltas of negatives, moves them: boxes that are none must not pass unseen.
  @Test func refinedBoxesThatAreNotFiniteAreNoticed() throws {
    let cascade = Cascade(stages: 2)
    let bias = try #require(cascade.store.parameters.first { $0.name == "roi_head.bbox_head.0.fc_reg.bias" })
    for element in 0..<12 { bias.values[element] = .nan }
    let input = input(on: cascade.engine)
    let empty = DetectorInput(images: input.images, metas: [input.metas[1]], targets: [input.targets[1]])
    let pending = try cascade.head.train(cascade.levels, [proposals[1]], empty, draws)
    #expect(try pending.finish(pending.counts)[0].value.isNaN)
    #expect(throws: DivergenceError.self) {
      try cascade.inference { try $0.detect(cascade.levels, proposals: proposals, metas: input.metas) }
    }
  }

  @Test func testModeTakesTheMeanOfTheScoresAndTheLastBoxes() throws {
    let cascade = Cascade(stages: 3)
    let metas = [input(on: cascade.engine).metas[0]]
    let detections = try cascade.inference { try $0.detect(cascade.levels, proposals: [proposals[0]], metas: metas) }
    cascade.engine.tape = nil
    var (boxes, sums): ([Box], [Float]) = (proposals[0].map(\.box), [Float](repeating: 0, count: 16))
    var last: [Float] = []
    var rois = boxes
    for (number, stage) in cascade.head.stages.enumerated() {
      rois = boxes
      let output = try stage(cascade.levels, regions: RegionOfInterest.all(of: [boxes]))
      let (scores, deltas) = (try #require(output.scores).array, try #require(output.deltas).array)
      sums = zip(sums, scores).map(+)
      let coder = cascade.configuration.stages[number].bboxHead.bboxCoder.make()
      boxes = boxes.indices.map { row in
        let own = scores[4 * row..<4 * row + 3]
        let first = 12 * row + 4 * (own.firstIndex(of: own.max()!)! - 4 * row)
        return coder.decode([rois[row]], deltas: Array(deltas[first..<first + 4]), maxShape: picture)[0]
      }
      last = deltas
    }
    let decoder = DetectionDecoder(cascade.configuration.detection, head: cascade.configuration.stages[2].bboxHead)
    let expected = decoder.detections(
      rois: rois, scores: sums.map { $0 / 3 }, deltas: last, imgShape: picture, scaleFactor: (1, 1))
    #expect(!expected.isEmpty && detections == [expected])
  }

  @Test func aStageDrawsOtherSamplesThanTheOneBefore() throws {
    let cascade = Cascade(stages: 2, samples: 3)
    let input = input(on: cascade.engine)
    let many = input.metas.map { _ in
      (0..<40).map { Proposal(box: Box(Float($0), 0, Float($0) + 9, 9), score: 1, anchor: $0) }
    }
    let samples = try cascade.head.stages.map { try $0.sample(many, of: cascade.levels, input: input, draws).images[1] }
    #expect(samples.map(\.negInds.count) == [3, 3] && samples[0].negInds != samples[1].negInds)
    let again = try cascade.head.stages[1].sample(many, of: cascade.levels, input: input, draws).images[1]
    #expect(again == samples[1])
  }

  @Test func stagesAndRepetitionsDrawForThemselves() {
    var numbers: Set<UInt64> = []
    for (draw, stage) in [(0, 0), (0, 1), (0, 2), (1, 0), (2, 0), (1, 1)] {
      var random = KeyedRandom(seed: 1, purpose: .rcnnSampler, epoch: 2, item: 3, draw: draw, stage: stage)
      numbers.insert(random.next())
    }
    #expect(numbers.count == 6)
  }
}

/// A head on one level of 4 channels, with random weights, three classes and samplers that take everything.
private final class Cascade {
  let engine = Engine(threads: 1)
  let store = ParameterStore()
  let configuration: RoIHeadConfiguration
  let head: RoIHead
  let levels: [Tensor]

  init(stages count: Int, weights: [Float]? = nil, isClassAgnostic: Bool = false, samples: Int = 100) {
    var configuration = RoIHeadConfiguration()
    configuration.kind = .cascade
    configuration.stages = (0..<count).map { number in
      var stage = RoIStageConfiguration()
      var (extractor, layers, assigner, sampler) = (
        SingleRoIExtractorConfiguration(), ConvFCConfiguration.shared2FC, MaxIoUAssignerConfiguration(),
        RandomSamplerConfiguration()
      )
      (extractor.outChannels, extractor.featmapStrides) = (4, [4])
      (extractor.outputHeight, extractor.outputWidth, layers.fcOutChannels) = (2, 2, 8)
      let threshold = 0.5 + 0.1 * Float(number)
      (assigner.posIoUThr, assigner.negIoUThr, assigner.matchLowQuality) = (threshold, .init(high: threshold), false)
      (sampler.num, sampler.posFraction, sampler.addGtAsProposals) = (samples, 0.5, true)
      (stage.extractor, stage.assigner, stage.sampler) = (.single(extractor), .maxIoU(assigner), .random(sampler))
      (stage.bboxHead.inChannels, stage.bboxHead.roiFeatSize, stage.bboxHead.numClasses) = (4, 2, 3)
      (stage.bboxHead.layers, stage.bboxHead.regClassAgnostic) = (.convFC(layers), isClassAgnostic)
      let scale = 1 / Float(number + 1)
      stage.bboxHead.bboxCoder = .deltaXYWH(.init(targetStds: [0.1 * scale, 0.1 * scale, 0.2 * scale, 0.2 * scale]))
      stage.weight = weights?[number] ?? 1
      return stage
    }
    configuration.detection.scoreThr = 0.01
    self.configuration = configuration
    head = RoIHead(configuration, keepLevelsInGraph: true, in: LayerScope(store: store, prefix: "roi_head"))
    store.allocate(seed: 5)
    // Initial weights hardly tell boxes apart.
    for parameter in store.parameters where parameter.name.contains("fc_") {
      for element in 0..<parameter.count { parameter.values[element] *= 100 }
    }
    var random = KeyedRandom(seed: 2, purpose: .test)
    engine.tape = Tape()
    levels = [
      Tensor([2, 10, 15, 4], (0..<1200).map { _ in random.normal() }, on: engine, needsGradient: true)
    ]
  }

  /// Of the parameters whose names go on with `part` behind `roi_head.bbox_head.`.
  func gradients(_ part: String) -> [Float] {
    store.trainable.filter { $0.name.hasPrefix("roi_head.bbox_head.\(part)") }
      .flatMap { $0.exported($0.gradient) }
  }

  func inference<Result>(_ body: (RoIHead) throws -> Result) rethrows -> Result {
    try engine.withoutTape { try body(head) }
  }
}
