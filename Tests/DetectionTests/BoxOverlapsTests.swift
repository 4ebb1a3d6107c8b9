import Detection
import Layers
import Primitives
import Tensors
import TestSupport
import Testing

@Suite struct BoxOverlapsTests {
  private func cases() throws -> [GoldenCase] {
    try GoldenCase.all("assigner").filter { $0.string("component_fn") == "bbox_overlaps" }
  }

  @Test func overlapsAreMMDetections() throws {
    let cases = try cases()
    #expect(cases.count == 19)
    for golden in cases {
      let (a, b) = (try golden.boxes("inputs/bboxes1"), try golden.boxes("inputs/bboxes2"))
      let eps = Float(try #require(golden.number("eps")))
      let overlap = try #require(measure(golden.string("mode"), eps: eps))
      let shape = try golden.shape("inputs/bboxes1")
      let images = shape.count == 3 ? shape[0] : 1
      let overlaps = (0..<images).flatMap { image in
        let first = Array(a[image * a.count / images..<(image + 1) * a.count / images])
        let second = Array(b[image * b.count / images..<(image + 1) * b.count / images])
        return golden.flag("is_aligned") == true
          ? zip(first, second).map(overlap) : first.flatMap { box in second.map { overlap(box, $0) } }
      }
      expectClose(overlaps, try golden.floats("expected/overlaps"), absolute: 1e-6, golden.description)
    }
  }

  /// The generalised IoU is the loss's, which is 1 - GIoU.
  private func measure(_ mode: String?, eps: Float) -> ((Box, Box) -> Float)? {
    switch mode {
    case "iou": { BoxOverlaps.overlap($0, $1, mode: .iou, eps: eps) }
    case "iof": { BoxOverlaps.overlap($0, $1, mode: .iof, eps: eps) }
    case "giou":
      { box, other in
        let prediction = Tensor([1, 4], coordinates([box]), on: Engine(threads: 1))
        return 1
          - BoxRegressionLoss(.ofBoxes(.giou, eps: eps)).losses(prediction, targets: coordinates([other])).array[0]
      }
    default: nil
    }
  }
}
