import Detection
import Tensors
import TestSupport
import Testing
import Training

/// Weights that have diverged are seen, in training by a loss that is not finite, in test mode by an error.
@Suite struct DivergenceTests {
  /// The last bias of `layer` not a number: anchors far from every object are hit too, which no loss looks at.
  private func detector(spoiling layer: String) throws -> ReferenceDetector {
    let detector = try ReferenceDetector(GoldenCase.all("detector")[0])
    let bias = try #require(detector.store.parameters.first { $0.name == "\(layer).bias" })
    bias.values[bias.count - 1] = .nan
    return detector
  }

  @Test(arguments: ["rpn_head.rpn_reg", "rpn_head.rpn_cls", "roi_head.bbox_head.fc_cls"])
  func aLossIsNotFinite(_ layer: String) throws {
    let detector = try detector(spoiling: layer)
    let losses = try detector.losses(detector.batch(0))
    #expect(!losses.isFinite)
    let wrong = losses.named.filter { !$0.value.isFinite }.map(\.name)
    let expected = [
      "rpn_head.rpn_reg": "loss_rpn_bbox", "rpn_head.rpn_cls": "loss_rpn_cls", "roi_head.bbox_head.fc_cls": "loss_cls",
    ]
    #expect(wrong.contains(try #require(expected[layer])), "\(wrong)")
  }

  /// Without objects no loss looks at the deltas: the proposals alone show it.
  @Test func proposalsThatAreNoBoxesAreSeenWithoutObjects() throws {
    let detector = try detector(spoiling: "rpn_head.rpn_reg")
    let batch = try detector.batch(0)
    let empty = DetectorInput(
      images: batch.images, metas: batch.metas,
      targets: batch.metas.map { _ in ImageTargets(gtBoxes: [], gtLabels: []) })
    let losses = try detector.losses(empty)
    #expect(losses.named.filter { !$0.value.isFinite }.map(\.name) == ["loss_rpn_bbox", "loss"])
  }

  @Test(arguments: [
    ("rpn_head.rpn_reg", "proposals"), ("rpn_head.rpn_cls", "proposals"),
    ("roi_head.bbox_head.fc_cls", "scores and deltas"), ("roi_head.bbox_head.fc_reg", "scores and deltas"),
  ])
  func testModeThrows(_ layer: String, _ what: String) throws {
    let detector = try detector(spoiling: layer)
    let input = detector.image(0, of: try detector.batch(0))
    let error = try #require(throws: DivergenceError.self) { try detector.model.detector.detect(input) }
    #expect(
      error.description.wholeMatch(
        of: /image 0: \d+ of its (.*) are not finite: the weights have diverged; use an older checkpoint/
      )?.1 == what[...])
  }
}
