import Detection
import Primitives
import TestSupport
import Testing

@Suite struct DetectionDecoderTests {
  @Test func detectionsAreMMDetections() throws {
    var compared = 0
    for golden in try GoldenCase.all("bbox_head") {
      for group in try golden.members("expected") where group.hasPrefix("get_bboxes_") {
        try check(golden, "expected/\(group)")
        compared += 1
      }
    }
    #expect(compared == 12)
  }

  /// The cases take the RoIs of the first image.
  private func check(_ golden: GoldenCase, _ group: String) throws {
    var (configuration, head) = (DetectionConfiguration(), BBoxHeadConfiguration())
    let numClasses = try #require(golden.integer("num_classes"))
    head.numClasses = numClasses
    head.bboxCoder = .deltaXYWH(try golden.settings("bbox_coder").coder)
    let regions = try golden.floats("inputs/rois")
    let count = stride(from: 0, to: regions.count, by: 5).count { regions[$0] == 0 }
    let rois = (0..<count).map {
      Box(regions[5 * $0 + 1], regions[5 * $0 + 2], regions[5 * $0 + 3], regions[5 * $0 + 4])
    }
    let scores = Array(try golden.floats("expected/cls_score").prefix(count * (numClasses + 1)))
    let width = try golden.shape("expected/bbox_pred")[1]
    let deltas = Array(try golden.floats("expected/bbox_pred").prefix(count * width))
    let shape = try #require(golden.numbers("img_shape", of: group)).map { Int($0) }
    let factors = try #require(golden.numbers("scale_factor", of: group)).map { Float($0) }
    let imgShape = ImageSize(height: shape[0], width: shape[1])
    let scaleFactor = golden.flag("rescale", of: group) == true ? (x: factors[0], y: factors[1]) : nil

    guard let scoreThr = golden.number("score_thr", of: group) else {
      let decoder = DetectionDecoder(configuration, head: head)
      let boxes = decoder.boxes(rois: rois, deltas: deltas, imgShape: imgShape, scaleFactor: scaleFactor)
      expectClose(
        coordinates(boxes), try golden.floats("\(group)/det_bboxes"), absolute: 1e-4, relative: 1e-5, "\(golden)")
      expectClose(
        decoder.probabilities(scores), try golden.floats("\(group)/det_labels"), absolute: 1e-5, "\(golden)")
      return
    }
    configuration.scoreThr = Float(scoreThr)
    configuration.nms = try golden.settings(ofGroup: group).part("nms").nms
    configuration.maxPerImg = try #require(golden.integer("max_per_img", of: group))
    let detections = DetectionDecoder(configuration, head: head).detections(
      rois: rois, scores: scores, deltas: deltas, imgShape: imgShape, scaleFactor: scaleFactor)
    #expect(try detections.map(\.label) == golden.integers("\(group)/det_labels"), "\(golden) \(group)")
    expectClose(
      detections.flatMap { coordinates([$0.box]) + [$0.score] }, try golden.floats("\(group)/det_bboxes"),
      absolute: 1e-4, relative: 1e-5, "\(golden) \(group)")
  }

  @Test func noRoIsGiveNoDetections() {
    let decoder = DetectionDecoder(DetectionConfiguration(), head: BBoxHeadConfiguration())
    let size = ImageSize(height: 10, width: 10)
    #expect(decoder.detections(rois: [], scores: [], deltas: [], imgShape: size, scaleFactor: (2, 2)).isEmpty)
  }
}
