import Detection
import Primitives
import TestSupport
import Testing

@Suite struct MaxIoUAssignerTests {
  @Test func assignsAsMMDetection() throws {
    let cases = try GoldenCase.all("assigner").filter { $0.string("component_fn") == nil }
    #expect(cases.count == 32)
    for golden in cases {
      let labels = golden.flag("has_gt_labels") == true ? try golden.integers("inputs/gt_labels") : nil
      let result = MaxIoUAssigner(try golden.settings().assigner).assign(
        try golden.boxes("inputs/bboxes"), gtBoxes: try golden.boxes("inputs/gt_bboxes"), gtLabels: labels,
        gtBoxesIgnore: try golden.boxesIfAny("inputs/gt_bboxes_ignore"))
      #expect(try result.gtInds.map(Int.init) == golden.integers("expected/gt_inds"), "\(golden)")
      expectClose(
        result.maxOverlaps, try golden.floats("expected/max_overlaps"), absolute: 1e-6, "\(golden) max_overlaps")
      let expected = golden.flag("expected_labels_is_none") == true ? nil : try golden.integers("expected/labels")
      #expect(result.labels == expected, "\(golden)")
    }
  }

  /// Against the definition on the whole matrix, with sizes and thresholds around which code tends to break.
  @Test(arguments: [0, 1, 7, 33], [0, 1, 8, 17])
  func agreesWithTheMatrix(boxCount: Int, gtCount: Int) {
    var random = KeyedRandom(seed: 1, purpose: .test, item: Int64(boxCount * 100 + gtCount))
    for trial in 0..<40 {
      var configuration = MaxIoUAssignerConfiguration()
      configuration.posIoUThr = [0.5, 0.7][random.below(2)]
      configuration.negIoUThr = [.init(high: 0.3), .init(low: 0.1, high: 0.5)][random.below(2)]
      configuration.minPosIoU = [0, 0.1, 0.3][random.below(3)]
      configuration.gtMaxAssignAll = random.below(2) == 0
      configuration.ignoreIoFThr = [-1, 0.5][random.below(2)]
      configuration.ignoreWrtCandidates = random.below(2) == 0
      configuration.matchLowQuality = random.below(4) > 0
      let (boxes, gts) = (randomBoxes(boxCount, &random), randomBoxes(gtCount, &random))
      let ignored = randomBoxes(random.below(3), &random)
      let result = MaxIoUAssigner(configuration).assign(
        boxes, gtBoxes: gts, gtLabels: Array(0..<gtCount), gtBoxesIgnore: ignored)
      let (gtInds, maxOverlaps) = Self.naive(configuration, boxes, gts, ignored)
      #expect(result.gtInds == gtInds, "trial \(trial): \(configuration)")
      #expect(result.maxOverlaps == maxOverlaps, "trial \(trial): \(configuration)")
    }
  }

  private static func naive(
    _ configuration: MaxIoUAssignerConfiguration, _ boxes: [Box], _ gts: [Box], _ ignored: [Box]
  ) -> ([Int32], [Float]) {
    guard !boxes.isEmpty, !gts.isEmpty else {
      return (boxes.map { _ in 0 }, boxes.map { _ in 0 })
    }
    var matrix = gts.map { gt in boxes.map { BoxOverlaps.overlap(gt, $0) } }
    for i in boxes.indices where configuration.ignoreIoFThr > 0 {
      let shares = ignored.map {
        configuration.ignoreWrtCandidates
          ? BoxOverlaps.overlap(boxes[i], $0, mode: .iof) : BoxOverlaps.overlap($0, boxes[i], mode: .iof)
      }
      if (shares.max() ?? 0) > configuration.ignoreIoFThr { for k in gts.indices { matrix[k][i] = -1 } }
    }
    let columns = boxes.indices.map { i in gts.indices.map { matrix[$0][i] } }
    let largest = columns.map { $0.max() ?? 0 }
    var gtInds = largest.map { overlap -> Int32 in
      let range = configuration.negIoUThr
      return overlap >= 0 && overlap >= range.low && overlap < range.high ? 0 : -1
    }
    for i in boxes.indices where largest[i] >= configuration.posIoUThr {
      gtInds[i] = Int32((columns[i].firstIndex(of: largest[i]) ?? 0) + 1)
    }
    for k in gts.indices where configuration.matchLowQuality {
      guard let best = matrix[k].max(), best >= configuration.minPosIoU else { continue }
      let matches = boxes.indices.filter { matrix[k][$0] == best }
      for i in configuration.gtMaxAssignAll ? matches : [matches[0]] { gtInds[i] = Int32(k + 1) }
    }
    return (gtInds, largest)
  }
}
