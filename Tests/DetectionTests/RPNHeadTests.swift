import Detection
import Foundation
import Layers
import Tensors
import TestSupport
import Testing

/// `RPNHead` against mmdetection's numbers.
@Suite struct RPNHeadTests {
  @Test(arguments: [("rpn", 9), ("rpn2", 14)])
  func outputsLossesAndGradientsAreMMDetections(_ file: String, _ count: Int) throws {
    var compared = 0
    for golden in try GoldenCase.all(file) {
      let (network, configuration) = (Network(), try golden.settings().rpnHead)
      let head = RPNHead(configuration, in: network.scope)
      try network.load(golden)
      let levels = try configuration.anchorGenerator.strides.indices.map {
        try network.map(golden, "inputs/feats_\($0)", needsGradient: true)
      }
      let output = try head(levels)
      try network.compare(output.scores, golden, "expected/cls_scores", 1e-5)
      try network.compare(output.deltas, golden, "expected/bbox_preds", 1e-5)
      guard golden.flag("expected_targets_none") != true else { continue }
      try checkLosses(head, output, levels, golden, network)
      compared += 1
    }
    #expect(compared == count)
  }

  /// mmdetection's losses are a list by level.
  private func checkLosses(
    _ head: RPNHead, _ output: RPNHead.Output, _ levels: [Tensor], _ golden: GoldenCase, _ network: Network
  ) throws {
    let input = DetectorInput(images: levels[0], metas: try golden.metas(), targets: try golden.targets())
    let targets = try head.targets(for: output, input: input, Draws(seed: 0, epoch: 0))
    let losses = head.losses(levels, targets, averageFactor: targets.averageFactor)
    let total = Tensor.sum(of: [losses.cls, losses.bbox])
    for (loss, name) in [(losses.cls, "loss_rpn_cls"), (losses.bbox, "loss_rpn_bbox"), (total, "total")] {
      let expected = try golden.floats("expected/\(name)").reduce(0, +)
      expectClose(loss.array, [expected], relative: 1e-5, "\(golden) \(name)")
    }
    try network.engine.tape?.backward(from: total)
    try network.compareGradients(golden)
    for (level, map) in levels.enumerated() {
      try network.compareGradient(of: map, golden, "expected/grad_feats_\(level)")
    }
  }

  /// `reg_decoded_bbox`: Σ |decoded - ground truth| over the positives, by the values of the whole maps.
  @Test func decodedBoxesAreComparedInPixels() throws {
    let golden = try #require(try GoldenCase.all("rpn").first { $0.flag("expected_targets_none") == false })
    let network = Network()
    var configuration = try golden.settings().rpnHead
    configuration.regDecodedBBox = true
    configuration.lossBBox = BoxRegressionLoss(.l1)
    let head = RPNHead(configuration, in: network.scope)
    try network.load(golden)
    let levels = try configuration.anchorGenerator.strides.indices.map {
      try network.map(golden, "inputs/feats_\($0)", needsGradient: true)
    }
    let output = try head(levels)
    let input = DetectorInput(images: levels[0], metas: try golden.metas(), targets: try golden.targets())
    let targets = try head.targets(for: output, input: input, Draws(seed: 0, epoch: 0))
    #expect(targets.images.contains { !$0.positives.isEmpty })
    var sum = 0.0
    for (number, image) in targets.images.enumerated() {
      let deltas = output.deltas.flatMap { map in
        map.array(number * map.count / map.shape[0]..<(number + 1) * map.count / map.shape[0])
      }
      let chosen = image.positives.flatMap { deltas[4 * $0..<4 * $0 + 4] }
      let decoded = configuration.bboxCoder.make().decode(image.positiveBoxes, deltas: chosen, maxShape: nil)
      for (a, b) in zip(coordinates(decoded), image.positiveTargets) { sum += Double(abs(a - b)) }
    }
    let bbox = head.losses(levels, targets, averageFactor: 7).bbox
    expectClose(bbox.array, [Float(sum / 7)], relative: 1e-5, "\(golden)")
    try network.engine.tape?.backward(from: bbox)
    let weight = try #require(network.store.trainable.first { $0.name == "rpn_reg.weight" })
    #expect((0..<weight.count).contains { weight.gradient[$0] != 0 })
  }

  /// Focal loss takes all anchors and divides by the positives; a sigmoid's class weight acts on positives.
  @Test func focalLossAndClassWeights() throws {
    let golden = try #require(try GoldenCase.all("rpn").first { $0.flag("expected_targets_none") == false })
    func losses(_ loss: ClassificationLoss, _ sampler: SamplerConfiguration?) throws -> (Float, AnchorTargets) {
      let network = Network()
      var configuration = try golden.settings().rpnHead
      configuration.lossCls = loss
      configuration.sampler = sampler ?? configuration.sampler
      let head = RPNHead(configuration, in: network.scope)
      network.store.allocate(seed: 3)
      let levels = try configuration.anchorGenerator.strides.indices.map {
        try network.map(golden, "inputs/feats_\($0)", needsGradient: true)
      }
      let input = DetectorInput(images: levels[0], metas: try golden.metas(), targets: try golden.targets())
      let targets = try head.targets(for: try head(levels), input: input, Draws(seed: 0, epoch: 0))
      return (head.losses(levels, targets, averageFactor: 1).cls.values[0], targets)
    }
    let (_, focal) = try losses(ClassificationLoss(.focal(gamma: 2, alpha: 0.25)), .pseudo)
    #expect(focal.averageFactor == Double(focal.numTotalPos))
    #expect(focal.numTotalNeg > 1000)
    // Linear in the weight, and without a slope where only negatives are.
    var weighted = ClassificationLoss(.sigmoid)
    let values = try [1, 2, 3].map { (weight: Float) -> Float in
      weighted.classWeight = [weight]
      return try losses(weighted, nil).0
    }
    #expect(values[1] > values[0] * 1.001)
    expectClose([values[2] - values[1]], [values[1] - values[0]], relative: 1e-3, "class_weight")
    expectClose([values[0]], [try losses(ClassificationLoss(.sigmoid), nil).0], relative: 1e-6, "no class_weight")
  }

  /// Several convolutions: the losses look at the head's own outputs, and each layer learns.
  @Test func severalConvolutions() throws {
    let golden = try #require(try GoldenCase.all("rpn").first { $0.flag("expected_targets_none") == false })
    let network = Network()
    var configuration = try golden.settings().rpnHead
    (configuration.numConvs, configuration.lossCls) = (3, ClassificationLoss(.sigmoid))
    configuration.lossBBox = BoxRegressionLoss(.l1)
    let head = RPNHead(configuration, in: network.scope)
    network.store.allocate(seed: 4)
    #expect(
      network.store.parameters.map(\.name).filter { $0.hasSuffix("weight") } == [
        "rpn_conv.0.conv.weight", "rpn_conv.1.conv.weight", "rpn_conv.2.conv.weight", "rpn_cls.weight",
        "rpn_reg.weight",
      ])
    let levels = try configuration.anchorGenerator.strides.indices.map {
      try network.map(golden, "inputs/feats_\($0)", needsGradient: true)
    }
    let output = try head(levels)
    let input = DetectorInput(images: levels[0], metas: try golden.metas(), targets: try golden.targets())
    let targets = try head.targets(for: output, input: input, Draws(seed: 0, epoch: 0))
    let losses = head.losses(try head.deepened(levels), targets, averageFactor: 1)
    var sum = 0.0
    for (number, image) in targets.images.enumerated() {
      let logits = output.scores.flatMap { map in
        map.array(number * map.count / map.shape[0]..<(number + 1) * map.count / map.shape[0])
      }
      let weight = Double(targets.positiveWeight)
      sum += image.positives.reduce(0) { $0 + weight * log(1 + exp(-Double(logits[$1]))) }
      sum += image.negatives.reduce(0) { $0 + log(1 + exp(Double(logits[$1]))) }
    }
    expectClose(losses.cls.array, [Float(sum)], relative: 1e-5, "loss_rpn_cls")
    try network.engine.tape?.backward(from: Tensor.sum(of: [losses.cls, losses.bbox]))
    for parameter in network.store.trainable {
      #expect((0..<parameter.count).contains { parameter.gradient[$0] != 0 }, "\(parameter.name)")
    }
  }
}
