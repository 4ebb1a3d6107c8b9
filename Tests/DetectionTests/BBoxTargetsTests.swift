import Detection
import Primitives
import TestSupport
import Testing

@Suite struct BBoxTargetsTests {
  @Test func targetsAreMMDetections() throws {
    let cases = try GoldenCase.all("bbox_head")
    #expect(cases.count == 12)
    for golden in cases {
      let samples = try (0..<(try #require(golden.integer("num_imgs")))).map { try sample(golden, $0) }
      var configuration = RoIHeadConfiguration()
      configuration.bboxHead.numClasses = try #require(golden.integer("num_classes"))
      configuration.bboxHead.bboxCoder = try golden.settings("bbox_coder").coder
      configuration.posWeight = Float(try #require(golden.number("pos_weight")))
      let targets = BBoxTargeter(configuration).targets(samples)
      #expect(try targets.labels == golden.integers("expected/labels"), "\(golden)")
      #expect(try targets.labelWeights == golden.floats("expected/label_weights"), "\(golden)")
      let decoded = golden.flag("reg_decoded_bbox") == true
      try checkDeltas(
        decoded ? coordinates(samples.flatMap(\.posGtBoxes)) : targets.positiveDeltas, labels: targets.labels,
        background: configuration.bboxHead.numClasses, golden)
      try checkRegions(samples, golden)
    }
  }

  /// What the reference's own assigner and sampler chose must come out of ours.
  private func sample(_ golden: GoldenCase, _ image: Int) throws -> SamplingResult {
    var (assigner, sampler) = (AssignerConfiguration(), SamplerConfiguration())
    (assigner.posIoUThr, assigner.negIoUThr, assigner.minPosIoU) = (0.5, (0, 0.5), 0.5)
    assigner.matchLowQuality = false
    (sampler.num, sampler.addGtAsProposals) = (100000, golden.flag("add_gt_as_proposals") ?? false)
    let proposals = try golden.boxes("inputs/img\(image)_proposals")
    let gtBoxes = try golden.boxes("inputs/img\(image)_gt_bboxes")
    let gtLabels = try golden.integers("inputs/img\(image)_gt_labels")
    var random = KeyedRandom(seed: 1, purpose: .test)
    let assigned = MaxIoUAssigner(assigner).assign(proposals, gtBoxes: gtBoxes, gtLabels: gtLabels)
    let result = RandomSampler(sampler).sample(
      assigned, boxes: proposals, gtBoxes: gtBoxes, gtLabels: gtLabels, random: &random)
    #expect(try result.posInds == golden.integers("inputs/img\(image)_pos_inds"), "\(golden)")
    #expect(try result.negInds == golden.integers("inputs/img\(image)_neg_inds"), "\(golden)")
    #expect(try result.posGtLabels == golden.integers("inputs/img\(image)_pos_gt_labels"), "\(golden)")
    return result
  }

  private func checkDeltas(_ positives: [Float], labels: [Int], background: Int, _ golden: GoldenCase) throws {
    var (deltas, weights): ([Float], [Float]) = ([], [])
    var rest = positives[...]
    for label in labels {
      deltas += label < background ? Array(rest.prefix(4)) : [0, 0, 0, 0]
      weights += [Float](repeating: label < background ? 1 : 0, count: 4)
      if label < background { rest = rest.dropFirst(4) }
    }
    #expect(rest.isEmpty)
    #expect(try weights == golden.floats("expected/bbox_weights"), "\(golden)")
    expectClose(
      deltas, try golden.floats("expected/bbox_targets"), absolute: 1e-5, relative: 1e-6, "\(golden) bbox_targets")
  }

  /// `rois`: image, x1, y1, x2, y2.
  private func checkRegions(_ samples: [SamplingResult], _ golden: GoldenCase) throws {
    let rows = samples.enumerated().flatMap { image, sample in
      sample.boxes.flatMap { [Float(image)] + coordinates([$0]) }
    }
    #expect(try rows == golden.floats("inputs/rois"), "\(golden)")
  }
}
