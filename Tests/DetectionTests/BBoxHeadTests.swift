import Detection
import Layers
import Tensors
import TestSupport
import Testing

/// `Shared2FCBBoxHead` against mmdetection's numbers.
@Suite struct BBoxHeadTests {
  /// Heads that this program does not have.
  private static let unsupported: Set = [
    "Shared4Conv1FC", "ConvFC separate branches",
  ]

  @Test func outputsLossesAndGradientsAreMMDetections() throws {
    let cases = try GoldenCase.all("bbox_head")
    #expect(cases.count { Self.unsupported.contains($0.title) } == Self.unsupported.count)
    for golden in cases where !Self.unsupported.contains(golden.title) { try check(golden) }
  }

  private func check(_ golden: GoldenCase) throws {
    let (network, configuration) = (Network(), try golden.bboxHead())
    let head = configuration.make(in: network.scope)
    try network.load(golden)
    let features = try network.map(golden, "inputs/x", needsGradient: true)
    let output = head(features)
    for (tensor, name) in [(output.scores, "cls_score"), (output.deltas, "bbox_pred")] {
      #expect(try tensor.shape == golden.shape("expected/\(name)"), "\(golden) \(name)")
      expectCloseToMaximum(tensor.array, try golden.floats("expected/\(name)"), 1e-5, "\(golden) \(name)")
    }

    let targets = BBoxTargeter(configuration, posWeight: golden.posWeight).targets(try golden.sampledRoIs())
    let losses = BBoxLosses(configuration)
    let counts = losses.counts(targets)
    let values = losses(output, targets, counts: counts)
    #expect(values.count == BBoxLosses.terms.terms.count)
    for (term, value) in zip(BBoxLosses.terms.terms, values) {
      let value = term.isSummed ? value.value : value.value / counts[try #require(term.divisor)]
      expectClose(
        [Float(value)], try golden.floats("expected/\(term.name)"), relative: 1e-5, "\(golden) \(term.name)")
    }
    expectClose(values.total.array, try golden.floats("expected/total"), relative: 1e-5, "\(golden) total")
    try network.engine.tape?.backward(from: values.total)
    try network.compareGradients(golden)
    try network.compareGradient(of: features, golden, "expected/grad_x")
  }
}
