import Detection
import Layers
import Tensors
import TestSupport
import Testing

/// `Shared2FCBBoxHead` against mmdetection's numbers.
@Suite struct BBoxHeadTests {
  /// Heads that this program does not have.
  private static let unsupported: Set = [
    "reg_decoded_bbox IoULoss", "reg_decoded_bbox GIoULoss agnostic", "BBoxHead plain with_avg_pool",
    "Shared4Conv1FC", "ConvFC separate branches",
  ]

  @Test func outputsLossesAndGradientsAreMMDetections() throws {
    let cases = try GoldenCase.all("bbox_head")
    #expect(cases.count { Self.unsupported.contains($0.title) } == Self.unsupported.count)
    for golden in cases where !Self.unsupported.contains(golden.title) { try check(golden) }
  }

  private func check(_ golden: GoldenCase) throws {
    let (network, configuration) = (Network(), try golden.roiHead())
    let head = Shared2FCBBoxHead(configuration.bboxHead, in: network.scope)
    try network.load(golden)
    let features = try network.map(golden, "inputs/x", needsGradient: true)
    let output = head(features)
    for (tensor, name) in [(output.scores, "cls_score"), (output.deltas, "bbox_pred")] {
      #expect(try tensor.shape == golden.shape("expected/\(name)"), "\(golden) \(name)")
      expectCloseToMaximum(tensor.array, try golden.floats("expected/\(name)"), 1e-5, "\(golden) \(name)")
    }

    let targets = BBoxTargeter(configuration).targets(try golden.sampledRoIs())
    let normalizers = LossNormalizers(
      weightedRoIs: Double(targets.labelWeights.count { $0 > 0 }), roIs: Double(targets.labels.count))
    let (cls, bbox) = head.losses(output, targets, normalizers)
    let total = Tensor.sum(of: [cls, bbox])
    for (loss, name) in [(cls, "loss_cls"), (bbox, "loss_bbox"), (total, "total")] {
      expectClose(loss.array, try golden.floats("expected/\(name)"), relative: 1e-5, "\(golden) \(name)")
    }
    expectClose(
      accuracy(of: output.scores, labels: targets.labels), try golden.floats("expected/acc"), relative: 1e-6,
      "\(golden) acc")
    try network.engine.tape?.backward(from: total)
    try network.compareGradients(golden)
    try network.compareGradient(of: features, golden, "expected/grad_x")
  }
}
