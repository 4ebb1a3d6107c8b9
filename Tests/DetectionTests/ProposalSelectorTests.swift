import Detection
import Layers
import Primitives
import TestSupport
import Testing

@Suite struct ProposalSelectorTests {
  @Test func proposalsAreMMDetections() throws {
    var compared = 0
    for golden in try GoldenCase.all("rpn") {
      for group in try golden.members("expected") where group.hasPrefix("proposals_") {
        let limits = try golden.settings(ofGroup: "expected/\(group)").proposals
        for (image, shape) in try golden.sizes("inputs/img_shapes").enumerated() {
          let proposals = try proposals(golden, image, shape, limits)
          let expected = try golden.floats("expected/\(group)/img\(image)")
          expectClose(
            inOneOrder(proposals.map { coordinates([$0.box]) + [$0.score] }),
            inOneOrder(stride(from: 0, to: expected.count, by: 5).map { Array(expected[$0..<$0 + 5]) }),
            absolute: 1e-4, relative: 1e-5, "\(golden) \(group) image \(image)")
          compared += 1
        }
      }
    }
    #expect(compared == 20)
  }

  /// Rows of equal score in the order of their coordinates. Cells whose ReLUs are all off have equal scores, and the reference's
  /// sort, which is not stable, leaves them in an order without meaning.
  private func inOneOrder(_ rows: [[Float]]) -> [Float] {
    var ordered = rows
    var start = 0
    while start < rows.count {
      let end = rows[start...].firstIndex { $0[4] != rows[start][4] } ?? rows.count
      ordered[start..<end].sort { $0.lexicographicallyPrecedes($1) }
      start = end
    }
    return ordered.flatMap { $0 }
  }

  private func proposals(
    _ golden: GoldenCase, _ image: Int, _ imgShape: ImageSize, _ limits: ProposalConfiguration
  ) throws -> [Proposal] {
    var configuration = try golden.settings().rpnHead
    (configuration.trainProposals, configuration.testProposals) = (limits, ProposalConfiguration())
    let levels = configuration.anchorGenerator.strides.indices
    return ProposalSelector(configuration).proposals(
      scores: try levels.map { try channelsInnermost(golden, "expected/cls_scores_\($0)", image) },
      deltas: try levels.map { try channelsInnermost(golden, "expected/bbox_preds_\($0)", image) },
      featmapSizes: try levels.map {
        let shape = try golden.shape("expected/cls_scores_\($0)")
        return ImageSize(height: shape[2], width: shape[3])
      }, imgShape: imgShape, isTraining: true
    ).proposals
  }

  /// One image of an NCHW data set as `[H, W, C]`.
  private func channelsInnermost(_ golden: GoldenCase, _ dataset: String, _ image: Int) throws -> [Float] {
    let (values, shape) = (try golden.floats(dataset), try golden.shape(dataset))
    let (channels, cells) = (shape[1], shape[2] * shape[3])
    return (0..<cells).flatMap { cell in (0..<channels).map { values[(image * channels + $0) * cells + cell] } }
  }

  /// mmdetection's own filter keeps all three here, since the indices of the large boxes, 1 and 2, add up to 3.
  @Test func smallBoxesAreDropped() {
    var configuration = RPNHeadConfiguration()
    configuration.anchorGenerator.strides = [(16, 16)]
    configuration.anchorGenerator.ratios = [1]
    configuration.anchorGenerator.scales = [0.25, 1, 2]
    configuration.lossCls = ClassificationLoss(.sigmoid)
    configuration.testProposals.minBBoxSize = 8
    let proposals = ProposalSelector(configuration).proposals(
      scores: [[3, 2, 1]], deltas: [[Float](repeating: 0, count: 12)],
      featmapSizes: [ImageSize(height: 1, width: 1)], imgShape: ImageSize(height: 64, width: 64), isTraining: false
    ).proposals
    #expect(proposals.map(\.box) == [Box(0, 0, 8, 8), Box(0, 0, 16, 16)])
  }
}
