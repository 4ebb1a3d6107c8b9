import Kernels
import Layers
import Primitives
import Tensors

/// `model.roi_head` with `train_cfg.rcnn` and `test_cfg.rcnn`: `StandardRoIHead` is a list of one stage.
public struct RoIHeadConfiguration: Equatable, Sendable {
  public var stages = [RoIStageConfiguration()]
  public var detection = DetectionConfiguration()

  public init() {}

  /// Without the background; the same in all stages.
  public var numClasses: Int { stages[0].bboxHead.numClasses }

  /// Whether norms of its gather statistics of the batch while training.
  public var usesBatchStatistics: Bool {
    stages.contains { $0.bboxHead.usesBatchStatistics || $0.extractor.usesBatchStatistics }
  }
}

/// The second part of a two-stage detector; mmdetection's `StandardRoIHead`.
public struct RoIHead {
  package let stages: [RoIStage]
  public let terms: LossTerms
  private let decoder: DetectionDecoder

  public init(_ configuration: RoIHeadConfiguration, keepLevelsInGraph: Bool, in scope: LayerScope) {
    require(configuration.stages.count == 1, "a head of \(configuration.stages.count) stages; cascades are to come")
    stages = configuration.stages.map {
      RoIStage(
        $0, keepLevelsInGraph: keepLevelsInGraph,
        in: .init(extractor: scope.scope("bbox_roi_extractor"), head: scope.scope("bbox_head")))
    }
    terms = stages[0].terms
    decoder = DetectionDecoder(configuration.detection, head: configuration.stages[0].bboxHead)
  }

  func train(
    _ levels: [Tensor], _ proposals: [[Proposal]], _ input: DetectorInput, _ draws: Draws
  ) throws -> PendingLosses { try stages[0].train(levels, proposals, input, draws) }

  /// Test mode for the proposals of each image.
  /// - Throws: `DivergenceError`; `NoScoresError`.
  package func detect(_ levels: [Tensor], proposals: [[Proposal]], metas: [ImageMeta]) throws -> [[Detection]] {
    let boxes = proposals.map { $0.map(\.box) }
    let regions = RegionOfInterest.all(of: boxes)
    let output = try stages[0](levels, regions: regions)
    guard let scores = output.scores?.array else { throw NoScoresError() }
    let deltas = output.deltas?.array
    var row = 0
    return try boxes.enumerated().map { image, boxes in
      let rows = row..<row + boxes.count
      row += boxes.count
      let scores = Self.rows(rows, of: scores, total: regions.count)
      let deltas = deltas.map { Self.rows(rows, of: $0, total: regions.count) }
      let numNotFinite = scores.count { !$0.isFinite } + (deltas ?? []).count { !$0.isFinite }
      guard numNotFinite == 0 else {
        throw DivergenceError(image: metas[image].imageID, count: numNotFinite, of: "scores and deltas")
      }
      return decoder.detections(
        rois: boxes, scores: scores, deltas: deltas, imgShape: metas[image].imgShape,
        scaleFactor: metas[image].scaleFactor)
    }
  }

  private static func rows(_ rows: Range<Int>, of values: [Float], total: Int) -> [Float] {
    guard total > 0 else { return [] }
    let width = values.count / total
    return Array(values[rows.lowerBound * width..<rows.upperBound * width])
  }
}
