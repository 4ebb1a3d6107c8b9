import Detection
import Primitives
import TestSupport
import Testing

@Suite struct BBoxTargetsTests {
  @Test func targetsAreMMDetections() throws {
    let cases = try GoldenCase.all("bbox_head")
    #expect(cases.count == 12)
    for golden in cases {
      let samples = try golden.sampledRoIs()
      let configuration = try golden.bboxHead()
      let targets = BBoxTargeter(configuration, posWeight: golden.posWeight).targets(samples)
      #expect(try targets.labels == golden.integers("expected/labels"), "\(golden)")
      #expect(try targets.labelWeights == golden.floats("expected/label_weights"), "\(golden)")
      #expect(targets.positiveBoxes == samples.flatMap(\.posBoxes))
      try checkTargets(
        targets.positiveTargets, labels: targets.labels, background: configuration.numClasses, golden)
      try checkRegions(samples, golden)
    }
  }

  private func checkTargets(_ positives: [Float], labels: [Int], background: Int, _ golden: GoldenCase) throws {
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
