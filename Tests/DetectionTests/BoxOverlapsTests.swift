import Detection
import Primitives
import TestSupport
import Testing

@Suite struct BoxOverlapsTests {
  private let modes: [String: BoxOverlaps.Mode] = ["iou": .iou, "iof": .iof, "giou": .giou]

  private func cases() throws -> [GoldenCase] {
    try GoldenCase.all("assigner").filter { $0.string("component_fn") == "bbox_overlaps" }
  }

  @Test func overlapsAreMMDetections() throws {
    let cases = try cases()
    #expect(cases.count == 19)
    for golden in cases {
      let (a, b) = (try golden.boxes("inputs/bboxes1"), try golden.boxes("inputs/bboxes2"))
      let eps = Float(try #require(golden.number("eps")))
      let mode = try #require(modes[golden.string("mode") ?? ""])
      let shape = try golden.shape("inputs/bboxes1")
      let images = shape.count == 3 ? shape[0] : 1
      let overlaps = (0..<images).flatMap { image in
        let first = Array(a[image * a.count / images..<(image + 1) * a.count / images])
        let second = Array(b[image * b.count / images..<(image + 1) * b.count / images])
        return golden.flag("is_aligned") == true
          ? BoxOverlaps.aligned(first, second, mode: mode, eps: eps)
          : BoxOverlaps.pairwise(first, second, mode: mode, eps: eps)
      }
      expectClose(overlaps, try golden.floats("expected/overlaps"), absolute: 1e-6, golden.description)
    }
  }
}
