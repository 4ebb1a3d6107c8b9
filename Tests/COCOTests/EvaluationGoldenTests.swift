import COCO
import Foundation
import TestSupport
import Testing

@Suite struct EvaluationGoldenTests {
  private func forEachCase(_ body: (GoldenCase, EvaluationCase) throws -> Void) throws {
    let cases = try GoldenCase.all("coco_eval")
    #expect(cases.count == 3)
    for golden in cases { try body(golden, EvaluationCase(golden)) }
  }

  private func subset(_ golden: GoldenCase) -> [Int64] { golden.numbers("imgsubset_ids")!.map { Int64($0) } }

  @Test func statistics() throws {
    try forEachCase { golden, data in
      let results = [
        ("stats_default", data.evaluator()),
        ("stats_useCats0", data.evaluator(usesCategories: false)),
        ("stats_agnostic_imgsubset", data.evaluator(images: subset(golden))),
      ]
      for (name, evaluator) in results {
        let difference = try largestDifference(
          evaluator.evaluate(data.detections).statistics, golden.doubles("expected/\(name)"))
        #expect(difference <= 1e-6, "\(golden) \(name)")
      }
    }
  }

  @Test func averagePrecisionOfLabels() throws {
    try forEachCase { golden, data in
      #expect(try golden.integers("expected/cat_ids") == data.categoryIDs.map(Int.init))
      let result = data.evaluator().evaluate(data.detections)
      let expected = try golden.doubles("expected/per_class_ap")
      #expect(largestDifference(result.averagePrecisionOfLabels, expected) <= 1e-6, "\(golden)")
      let expected50 = try golden.doubles("expected/per_class_ap50")
      #expect(largestDifference(result.averagePrecision50OfLabels, expected50) <= 1e-6, "\(golden)")
    }
  }

  @Test func curves() throws {
    try forEachCase { golden, data in
      let result = data.evaluator().evaluate(data.detections)
      let all = stride(from: 2, to: result.precision.count, by: 12).map { result.precision[$0] }
      let expected = try golden.floats("expected/precision_T_R_K_area_all_maxdet100").map(Double.init)
      #expect(largestDifference(all, expected) <= 1e-6, "\(golden)")
      #expect(largestDifference(result.recall, try golden.doubles("expected/recall_T_K_A_M")) <= 1e-6, "\(golden)")
    }
  }

  @Test func mmdetectionMetrics() throws {
    try forEachCase { golden, data in
      let result = data.result(EvaluationParameters())
      for (name, value) in result.mmdetectionMetrics {
        #expect(value == golden.number(name, of: "expected/mmdet"), "\(golden) \(name)")
      }
      #expect(result.mmdetectionMetrics.count == 6)
      #expect(result.mmdetectionCopyPaste == golden.string("bbox_mAP_copypaste", of: "expected/mmdet"))
    }
  }

  @Test func printedLines() throws {
    let data = try EvaluationCase(GoldenCase.all("coco_eval")[2])
    #expect(
      data.evaluator().evaluate(data.detections).summary == [
        " Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.201",
        " Average Precision  (AP) @[ IoU=0.50      | area=   all | maxDets=100 ] = 0.283",
        " Average Precision  (AP) @[ IoU=0.75      | area=   all | maxDets=100 ] = 0.228",
        " Average Precision  (AP) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = 0.217",
        " Average Precision  (AP) @[ IoU=0.50:0.95 | area=medium | maxDets=100 ] = 0.323",
        " Average Precision  (AP) @[ IoU=0.50:0.95 | area= large | maxDets=100 ] = -1.000",
        " Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=  1 ] = 0.175",
        " Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets= 10 ] = 0.347",
        " Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.347",
        " Average Recall     (AR) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = 0.348",
        " Average Recall     (AR) @[ IoU=0.50:0.95 | area=medium | maxDets=100 ] = 0.375",
        " Average Recall     (AR) @[ IoU=0.50:0.95 | area= large | maxDets=100 ] = -1.000",
      ])
  }

  /// Pictures are matched independently: those of several shares, in any order, give the same bits.
  @Test(arguments: [1, 2, 3, 8, 30]) func sharedAmongRanks(ranks: Int) throws {
    try forEachCase { _, data in
      let evaluator = data.evaluator()
      var matches: [ImageMatches] = []
      for rank in (0..<ranks).reversed() {
        let share = data.imageIDs.enumerated().filter { $0.offset % ranks == rank }.map(\.element)
        let detections = data.detections.filter { share.contains($0.imageID) }
        matches += evaluator.match(detections, in: share)
      }
      #expect(matches.count == data.imageIDs.count)
      #expect(evaluator.accumulate(matches) == evaluator.evaluate(data.detections))
    }
  }
}
