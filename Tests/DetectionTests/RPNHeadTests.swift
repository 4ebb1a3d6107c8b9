import Detection
import Layers
import Tensors
import TestSupport
import Testing

/// `RPNHead` against mmdetection's numbers.
@Suite struct RPNHeadTests {
  @Test func outputsLossesAndGradientsAreMMDetections() throws {
    var compared = 0
    for golden in try GoldenCase.all("rpn") {
      let (network, configuration) = (Network(), try golden.settings().rpnHead)
      let head = RPNHead(configuration, in: network.scope)
      try network.load(golden)
      let levels = try configuration.anchorGenerator.strides.indices.map {
        try network.map(golden, "inputs/feats_\($0)", needsGradient: true)
      }
      let output = head(levels)
      try network.compare(output.scores, golden, "expected/cls_scores", 1e-5)
      try network.compare(output.deltas, golden, "expected/bbox_preds", 1e-5)
      guard golden.flag("expected_targets_none") == false else { continue }
      try checkLosses(head, output, levels, golden, network)
      compared += 1
    }
    #expect(compared == 9)
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
}
