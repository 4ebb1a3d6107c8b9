import Detection
import Kernels
import Layers
import Primitives
import Tensors
import TestSupport
import Testing
import Training

/// Tiny detectors against mmdetection's numbers: a step in all its parts, a training, detections.
///
/// Not compared: `detections_before_batched`. In mmdetection 2.11 a batch of several images in test mode pads the
/// shorter lists of proposals with zero boxes, which can be detected as objects; here they aren't padded.
@Suite struct DetectorTests {
  static let cases =
    ["detector", "cascade"].flatMap { file in (0..<2).map { DetectorCase(file: file, number: $0) } }
    + [0, 1, 4].map { DetectorCase(file: "detectors2", number: $0) }
    + [1, 3, 4].map { DetectorCase(file: "detectors3", number: $0) }

  @Test(arguments: cases, 0..<2)
  func firstStepHasMMDetectionsLossesAndGradients(_ which: DetectorCase, batch: Int) throws {
    let detector = try which.detector
    let (golden, group) = (detector.golden, "expected/step0_batch_\(batch)")
    for (name, value) in try detector.losses(detector.batch(batch)).named {
      let expected = try golden.floats("\(group)/\(name)").reduce(0, +)
      expectClose([Float(value)], [expected], relative: 1e-5, "\(golden) batch \(batch) \(name)")
    }
    let (sums, norms) = (try golden.floats("\(group)/grad_sum"), try golden.floats("\(group)/grad_l2"))
    for (index, name) in try golden.names("trainable_params").enumerated() {
      let parameter = try #require(detector.store.trainable.first { $0.name == name })
      let gradient = parameter.exported(parameter.gradient)
      if golden.has("\(group)/grad/\(name)") {
        expectCloseToMaximum(gradient, try golden.floats("\(group)/grad/\(name)"), 1e-4, "\(golden) \(name)")
      }
      // |Σ δ| ≤ √n ‖δ‖
      let limit = 1e-4 * norms[index] * Float(gradient.count).squareRoot()
      expectClose([Self.sum(gradient)], [sums[index]], absolute: limit, "\(golden) batch \(batch) Σ \(name)")
      expectClose([Self.norm(gradient)], [norms[index]], relative: 1e-4, "\(golden) batch \(batch) ‖\(name)‖")
    }
  }

  @Test(arguments: cases)
  func trainedAndFrozenParametersAreMMDetections(_ which: DetectorCase) throws {
    let detector = try which.detector
    #expect(try Set(detector.store.trainable.map(\.name)) == Set(detector.golden.names("trainable_params")))
    let frozen = detector.store.parameters.filter { !$0.isTrainable && !$0.name.contains("running") }
    #expect(try Set(frozen.map(\.name)) == Set(detector.golden.names("frozen_params")))
  }

  @Test(arguments: cases.filter { $0.file == "detector" }, 0..<2)
  func intermediateValuesAreMMDetections(_ which: DetectorCase, batch: Int) throws {
    let reference = try which.detector
    let (golden, group) = (reference.golden, "expected/step0_batch_\(batch)/intermediate")
    let (detector, input) = (try reference.parts, try reference.batch(batch))
    let levels = try detector.features(input.images)
    try checkLevels(levels, golden, group)

    let draws = Draws(seed: 0, epoch: 0)
    let proposals = try detector.source.train(levels, input, draws).proposals
    #expect(!proposals.isEmpty && proposals.count == input.metas.count)
    for (image, proposals) in proposals.enumerated() {
      try golden.expectBoxes(proposals.map { ($0.box, $0.score) }, "\(group)/proposals_\(image)")
    }
    let stage = detector.roiHead.stages[0]
    let samples = try stage.sample(proposals, of: levels, input: input, draws)
    #expect(try samples.targets.labels == golden.integers("\(group)/labels"), "\(golden)")
    expectClose(
      samples.regions.flatMap { [Float($0.image), $0.x1, $0.y1, $0.x2, $0.y2] }, try golden.floats("\(group)/rois"),
      absolute: 0.02, "\(golden) rois")
    let background = try #require(golden.integer("num_classes"))
    let expected = try golden.floats("\(group)/bbox_targets")
    let positives = samples.targets.labels.indices.filter { samples.targets.labels[$0] < background }
    expectClose(
      samples.targets.positiveTargets, positives.flatMap { expected[4 * $0..<4 * $0 + 4] }, absolute: 1e-4,
      "\(golden) bbox_targets")

    let output = try stage(levels, regions: samples.regions)
    for (tensor, name) in [(output.scores, "cls_score"), (output.deltas, "bbox_pred")] {
      expectCloseToMaximum(try #require(tensor).array, try golden.floats("\(group)/\(name)"), 1e-5, "\(golden) \(name)")
    }
  }

  /// What each stage of a cascade looks at, and what it makes of it for the next.
  @Test(arguments: cases.filter { $0.file == "cascade" }, 0..<2)
  func stagesAreMMDetections(_ which: DetectorCase, batch: Int) throws {
    let reference = try which.detector
    let (golden, group) = (reference.golden, "expected/step0_batch_\(batch)/intermediate")
    let (detector, input, draws) = (try reference.parts, try reference.batch(batch), Draws(seed: 0, epoch: 0))
    let levels = try detector.features(input.images)
    var proposals = try detector.source.train(levels, input, draws).proposals
    for (number, stage) in detector.roiHead.stages.enumerated() {
      for (image, proposals) in proposals.enumerated() where number > 0 {
        expectClose(
          proposals.flatMap { [$0.box.x1, $0.box.y1, $0.box.x2, $0.box.y2] },
          try golden.floats("\(group)/stage\(number)_proposals_\(image)"), absolute: 0.02, "\(golden) stage \(number)")
      }
      let pass = try stage.pass(levels, proposals, input, draws)
      let (samples, output) = (pass.samples, pass.output)
      #expect(try samples.targets.labels == golden.integers("\(group)/stage\(number)_labels"), "\(golden)")
      expectClose(
        samples.regions.flatMap { [Float($0.image), $0.x1, $0.y1, $0.x2, $0.y2] },
        try golden.floats("\(group)/stage\(number)_rois"), absolute: 0.02, "\(golden) stage \(number) rois")
      for (tensor, name) in [(output.scores, "cls_score"), (output.deltas, "bbox_pred")] {
        expectCloseToMaximum(
          try #require(tensor).array, try golden.floats("\(group)/stage\(number)_\(name)"), 1e-4,
          "\(golden) stage \(number) \(name)")
      }
      proposals = stage.refined(proposals, pass, metas: input.metas).proposals
    }
    #expect(detector.roiHead.stages.count == 3)
  }

  private func checkLevels(_ levels: [Tensor], _ golden: GoldenCase, _ group: String) throws {
    for (level, map) in levels.enumerated() where golden.has("\(group)/fpn_\(level)") {
      let shape = try golden.shape("\(group)/fpn_\(level)")
      #expect(map.shape == [shape[0], shape[2], shape[3], shape[1]])
      let expected = channelsInnermost(try golden.floats("\(group)/fpn_\(level)"), shape)
      expectCloseToMaximum(map.array, expected, 2e-5, "\(golden) fpn_\(level)")
    }
    let norms = try golden.floats("\(group)/fpn_l2")
    expectClose(levels.map { Self.norm($0.array) }, norms, relative: 2e-5, "\(golden) fpn_l2")
    for (level, sum) in try golden.floats("\(group)/fpn_sum").enumerated() {
      let limit = 2e-5 * norms[level] * Float(levels[level].count).squareRoot()
      expectClose([Self.sum(levels[level].array)], [sum], absolute: limit, "\(golden) fpn_sum \(level)")
    }
  }

  @Test(arguments: cases)
  func trainingFollowsMMDetections(_ which: DetectorCase) throws {
    let detector = try which.detector
    let (golden, engine) = (detector.golden, detector.model.engine)
    try checkDetections(detector, "expected/detections_before")
    let optimizer = Optimizer(configuration: try detector.optimizer, store: detector.store)
    let batches = try (0..<2).map { try detector.batch($0) }
    for step in 0..<(try #require(golden.integer("steps"))) {
      let losses = try detector.losses(batches[step % 2]).named
      let norm = optimizer.gradientNorm(engine.workers)
      optimizer.clipGradients(norm: norm, engine.workers)
      optimizer.step(learningRate: optimizer.configuration.lr, engine.workers)
      for (name, value) in losses {
        let expected = try golden.floats("expected/training/\(name)")[step]
        expectClose([Float(value)], [expected], relative: 5e-4, "\(golden) step \(step) \(name)")
      }
      #expect((norm != nil) == golden.has("expected/training/grad_norm"))
      if let norm {
        let expected = try golden.floats("expected/training/grad_norm")[step]
        expectClose([Float(norm)], [expected], relative: 5e-4, "\(golden) step \(step) grad_norm")
      }
      try checkParameters(detector, step: step)
    }
    for name in golden.has("expected/training/final_params") ? try golden.members("expected/training/final_params") : []
    {
      let parameter = try #require(detector.store.parameters.first { $0.name == name })
      let expected = try golden.floats("expected/training/final_params/\(name)")
      expectClose(parameter.exported(parameter.values), expected, absolute: 1e-4, "\(golden) \(name)")
    }
    try checkDetections(detector, "expected/detections_after")
  }

  private func checkParameters(_ detector: ReferenceDetector, step: Int) throws {
    let golden = detector.golden
    let names = try golden.names("param_names", of: "expected/training")
    let (sums, norms) = (
      try golden.floats("expected/training/param_sum"), try golden.floats("expected/training/param_l2")
    )
    for (index, name) in names.enumerated() {
      let parameter = try #require(detector.store.parameters.first { $0.name == name })
      let values = parameter.exported(parameter.values)
      let place = step * names.count + index
      let root = Float(values.count).squareRoot()
      expectClose([Self.sum(values)], [sums[place]], absolute: 1e-4 * root, "\(golden) step \(step) Σ \(name)")
      expectClose([Self.norm(values)], [norms[place]], absolute: 1e-4, "\(golden) step \(step) ‖\(name)‖")
    }
  }

  /// Each image alone.
  private func checkDetections(_ reference: ReferenceDetector, _ group: String) throws {
    let golden = reference.golden
    for image in 0..<4 {
      let input = reference.image(image % 2, of: try reference.batch(image / 2))
      let detections = try reference.model.detector.detect(input)[0]
      guard let detector = reference.model.detector as? TwoStageDetector else {
        #expect(detections.allSatisfy { $0.label == 0 })
        try golden.expectBoxes(detections.map { ($0.box, $0.score) }, "\(group)/img\(image)_dets")
        continue
      }
      if golden.has("\(group)/img\(image)_proposals") {
        let proposals = try detector.source.propose(detector.features(input.images), input)
        try golden.expectBoxes(proposals[0].map { ($0.box, $0.score) }, "\(group)/img\(image)_proposals")
      }
      let labels = try golden.integers("\(group)/img\(image)_det_labels")
      #expect(detections.map(\.label) == labels, "\(golden) \(group) \(image)")
      try golden.expectBoxes(detections.map { ($0.box, $0.score) }, "\(group)/img\(image)_det_bboxes")
    }
  }

  private static func sum(_ values: [Float]) -> Float { Float(values.reduce(0.0) { $0 + Double($1) }) }

  private static func norm(_ values: [Float]) -> Float {
    Float(values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot())
  }
}

/// A detector of a file of reference values.
struct DetectorCase: CustomTestStringConvertible {
  let file: String
  let number: Int

  var testDescription: String { "\(file) \(number)" }

  var detector: ReferenceDetector {
    get throws {
      let goldens = try GoldenCase.all(file)
      try #require(goldens.count == ["detectors2": 7, "detectors3": 5][file] ?? 2)
      return try ReferenceDetector(goldens[number])
    }
  }
}
