import Detection
import Foundation
import Primitives
import TestSupport
import Testing

@Suite struct NonMaximumSuppressionTests {
  private func cases(_ function: String, count: Int) throws -> [GoldenCase] {
    let cases = try GoldenCase.all("nms").filter { $0.string("fn") == function }
    #expect(cases.count == count)
    return cases
  }

  private func expectDetections(
    _ boxes: [Box], _ scores: [Float], _ golden: GoldenCase, _ dataset: String = "expected/dets"
  ) throws {
    let rows = zip(boxes, scores).flatMap { [$0.x1, $0.y1, $0.x2, $0.y2, $1] }
    expectClose(rows, try golden.floats(dataset), absolute: 1e-6, golden.description)
  }

  @Test func nmsIsMMCVs() throws {
    for golden in try cases("nms", count: 16) {
      let (boxes, scores) = (try golden.boxes("inputs/boxes"), try golden.floats("inputs/scores"))
      let (threshold, offset) = (
        Float(try #require(golden.number("iou_threshold"))), Float(try #require(golden.number("offset")))
      )
      let kept = NonMaximumSuppression.nms(boxes, scores: scores, iouThreshold: threshold, offset: offset)
      #expect(try kept == golden.integers("expected/keep"), "\(golden)")
      try expectDetections(kept.map { boxes[$0] }, kept.map { scores[$0] }, golden)
      let few = NonMaximumSuppression.nms(boxes, scores: scores, iouThreshold: threshold, offset: offset, limit: 3)
      #expect(few == Array(kept.prefix(3)), "\(golden)")
    }
  }

  @Test func softNMSIsMMCVs() throws {
    for golden in try cases("soft_nms", count: 3) {
      var configuration = NMSConfiguration()
      configuration.iouThreshold = Float(try #require(golden.number("iou_threshold")))
      configuration.sigma = Float(try #require(golden.number("sigma")))
      configuration.minScore = Float(try #require(golden.number("min_score")))
      configuration.softMethod = try #require(golden.string("method").flatMap(NMSConfiguration.SoftMethod.init))
      let boxes = try golden.boxes("inputs/boxes")
      let kept = NonMaximumSuppression.softNMS(
        boxes, scores: try golden.floats("inputs/scores"), configuration: configuration)
      #expect(try kept.map(\.index) == golden.integers("expected/keep"), "\(golden)")
      try expectDetections(kept.map { boxes[$0.index] }, kept.map(\.score), golden)
    }
  }

  /// Boxes that were clipped at the picture's border may have no area left.
  @Test(arguments: NMSConfiguration.SoftMethod.allCases)
  func boxesWithoutAreaKeepTheirSoftScores(_ method: NMSConfiguration.SoftMethod) {
    var configuration = NMSConfiguration()
    (configuration.iouThreshold, configuration.softMethod) = (0.3, method)
    let boxes = [Box(9, 0, 9, 5), Box(9, 0, 9, 5), Box(2, 2, 2, 2), Box(0, 0, 9, 5), Box(0, 0, 0, 0)]
    let kept = NonMaximumSuppression.softNMS(
      boxes, scores: [0.9, 0.8, 0.7, 0.6, 0.5], configuration: configuration)
    #expect(kept.map(\.index) == [0, 1, 2, 3, 4])
    #expect(kept.map(\.score) == [0.9, 0.8, 0.7, 0.6, 0.5])
  }

  @Test func batchedNMSIsMMCVs() throws {
    for golden in try cases("batched_nms", count: 15) {
      var configuration = try settings(golden).nms
      if try settings(golden).flag("class_agnostic") == nil {
        configuration.classAgnostic = golden.flag("class_agnostic") ?? false
      }
      configuration.splitThr = golden.integer("split_thr") ?? configuration.splitThr
      let boxes = try golden.boxes("inputs/boxes")
      let kept = NonMaximumSuppression.batchedNMS(
        boxes, scores: try golden.floats("inputs/scores"), groups: try golden.integers("inputs/idxs"),
        configuration: configuration)
      #expect(try kept.map(\.index) == golden.integers("expected/keep"), "\(golden)")
      try expectDetections(kept.map { boxes[$0.index] }, kept.map(\.score), golden)
    }
  }

  @Test func multiclassNMSIsMMDetections() throws {
    for golden in try cases("multiclass_nms", count: 23) {
      let detections = NonMaximumSuppression.multiclassNMS(
        boxesOfRows(try golden.floats("inputs/multi_bboxes")), scores: try golden.floats("inputs/multi_scores"),
        numClasses: try #require(golden.integer("num_classes")),
        scoreThr: Float(try #require(golden.number("score_thr"))), configuration: try settings(golden).nms,
        maxPerImg: try #require(golden.integer("max_per_img")),
        scoreFactors: golden.has("inputs/score_factors") ? try golden.floats("inputs/score_factors") : nil)
      #expect(try detections.map(\.label) == golden.integers("expected/det_labels"), "\(golden)")
      try expectDetections(detections.map(\.box), detections.map(\.score), golden, "expected/det_bboxes")
    }
  }

  private func settings(_ golden: GoldenCase) throws -> Settings {
    let object = try JSONSerialization.jsonObject(with: Data(try #require(golden.string("nms_cfg")).utf8))
    return Settings(values: object as? [String: Any] ?? [:])
  }

  @Test(arguments: [0, 1, 7, 8, 9, 17, 33, 400])
  func aLimitTakesTheFirst(count: Int) {
    var random = KeyedRandom(seed: 2, purpose: .test, item: Int64(count))
    let boxes = randomBoxes(count, &random)
    let scores = (0..<count).map { _ in Float(random.below(20)) / 20 }
    let groups = (0..<count).map { _ in random.below(4) }
    for splitThr in [1, 10000] {
      var configuration = NMSConfiguration()
      (configuration.iouThreshold, configuration.splitThr) = (0.3, splitThr)
      let all = NonMaximumSuppression.batchedNMS(boxes, scores: scores, groups: groups, configuration: configuration)
      for limit in [0, 1, 5, count] {
        let some = NonMaximumSuppression.batchedNMS(
          boxes, scores: scores, groups: groups, configuration: configuration, limit: limit)
        #expect(some == Array(all.prefix(limit)), "limit \(limit)")
      }
      let values = all.map(\.score)
      #expect(values == values.sorted(by: >))
    }
  }

  /// As torch's descending sort. x86 makes NaNs with the sign bit set.
  @Test func notANumberComesFirstWhateverItsSign() {
    let far = (0..<5).map { Box(Float($0) * 10, 0, Float($0) * 10 + 1, 1) }
    let order = NonMaximumSuppression.nms(
      far, scores: [0.5, -Float.nan, .infinity, .nan, -1], iouThreshold: 0.5)
    #expect(order == [1, 3, 2, 0, 4])
  }
}
