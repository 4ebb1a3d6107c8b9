import COCO
import Foundation
import Primitives
import TestSupport
import Testing

/// The recall of proposals, against mmdetection's numbers.
@Suite struct ProposalGoldenTests {
  private static func cases(_ kind: String) throws -> [GoldenCase] {
    try GoldenCase.all("data2").filter { $0.string("kind") == kind }
  }

  private func boxes(_ golden: GoldenCase, _ name: String) throws -> [(box: Box, score: Float)] {
    let (shape, values) = (try golden.shape(name), try golden.floats(name))
    let rows = (0..<shape[0]).map { row in
      let first = row * shape[1]
      let box = Box(values[first], values[first + 1], values[first + 2], values[first + 3])
      return (box, shape[1] == 5 ? values[first + 4] : 0)
    }
    return shape[1] == 5 ? rows.sorted { $0.1 > $1.1 } : rows
  }

  @Test func recalls() throws {
    let cases = try Self.cases("eval_recalls")
    #expect(cases.count == 3)
    for golden in cases {
      let images = 0..<(try #require(golden.integer("num_imgs")))
      let recall = ProposalRecall(
        groundTruths: try images.map { try boxes(golden, "inputs/gt_bboxes_\($0)").map(\.box) },
        counts: try #require(golden.numbers("proposal_nums")).map { Int($0) },
        overlaps: try #require(golden.numbers("iou_thrs")))
      let averages = recall.averages(try images.map { try boxes(golden, "inputs/proposals_\($0)").map(\.box) })
      #expect(largestDifference(averages.map(\.value), try golden.doubles("expected/ar")) <= 1e-6, "\(golden)")
    }
  }

  /// `metric: proposal` and `proposal_fast` of a whole file. The second file has no category 1, which mmdetection gives
  /// all proposals: it finds nothing there.
  @Test func evaluations() throws {
    let cases = try Self.cases("coco_proposals")
    #expect(cases.count == 2)
    for (number, golden) in cases.enumerated() {
      let file = try AnnotationFile(reading: GoldenCase.path(try #require(golden.string("ann_file"))))
      let dataset = try CocoDataset(file, configuration: DatasetConfiguration(), training: false)
      let ids = try golden.integers("inputs/image_ids").map { Int64($0) }
      let proposals = try ids.indices.map { try boxes(golden, "inputs/proposals_\($0)") }
      let places = Dictionary(uniqueKeysWithValues: zip(ids, proposals))
      #expect(Set(dataset.images.map(\.id)) == Set(ids))
      let recall = ProposalRecall(
        groundTruths: dataset.allObjects, counts: [100, 300, 1000], overlaps: EvaluationParameters.standardOverlaps)
      for (name, value) in recall.averages(dataset.images.map { places[$0.id]!.map(\.box) }) {
        let expected = try golden.doubles("expected/proposal_fast/\(name)")
        #expect(largestDifference([value], expected) <= 1e-6, "\(golden) \(name)")
      }
      guard number == 0 else { continue }
      let annotations = try EvaluationCase(
        annotations: file.path, results: GoldenCase.path("coco_0_det.json"))
      let found = zip(ids, proposals).flatMap { id, rows in
        rows.map {
          EvaluationDetection(imageID: id, label: 0, box: EvaluationBox($0.box), score: Double($0.score))
        }
      }
      let result = annotations.evaluator(maxDets: [100, 300, 1000], usesCategories: false).evaluate(found)
      #expect(
        result.proposalMetrics.map(\.name) == ["AR@100", "AR@300", "AR@1000", "AR_s@1000", "AR_m@1000", "AR_l@1000"])
      for (name, value) in result.proposalMetrics {
        #expect(
          largestDifference([value], try golden.doubles("expected/proposal/\(name)")) <= 1e-6, "\(golden) \(name)")
      }
    }
  }
}
