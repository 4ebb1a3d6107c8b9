import Kernels
import Layers
import Primitives
import Tensors

/// `model.roi_head` with `train_cfg.rcnn` and `test_cfg.rcnn`.
public struct RoIHeadConfiguration: Equatable, Sendable {
  /// `StandardRoIHead` is one stage. `CascadeRoIHead` is a list, whose parameters, losses and draws go by the number of
  /// the stage, even where there is only one.
  public enum Kind: Equatable, Sendable { case standard, cascade }
  public var kind = Kind.standard
  /// What stands between the extractors and the box heads of all stages; nil: nothing.
  public var sharedHead: SharedHeadConfiguration?
  public var stages = [RoIStageConfiguration()]
  public var detection = DetectionConfiguration()

  public init() {}

  /// Without the background; the same in all stages.
  public var numClasses: Int { stages[0].bboxHead.numClasses }

  /// Whether norms of its gather statistics of the batch while training.
  public var usesBatchStatistics: Bool {
    sharedHead?.layer.usesBatchStatistics ?? false
      || stages.contains { $0.bboxHead.usesBatchStatistics || $0.extractor.usesBatchStatistics }
  }
}

/// The second part of a two-stage detector: mmdetection's `StandardRoIHead`, or a cascade (`CascadeRoIHead`; Cai and
/// Vasconcelos, "Cascade R-CNN", 2018), each stage of which looks at the boxes that the one before it refined.
public struct RoIHead {
  package let stages: [RoIStage]
  public let terms: LossTerms
  private let decoder: DetectionDecoder

  public init(_ configuration: RoIHeadConfiguration, keepLevelsInGraph: Bool, in scope: LayerScope) {
    let configurations = configuration.stages
    require(
      configuration.kind == .cascade ? !configurations.isEmpty : configurations.count == 1,
      "a \(configuration.kind) head of \(configurations.count) stages")
    let sharedHead = configuration.sharedHead?.make(in: scope)
    let isCascade = configuration.kind == .cascade
    stages = configurations.enumerated().map { number, stage in
      func part(_ name: String) -> LayerScope { scope.scope(isCascade ? "\(name).\(number)" : name) }
      return RoIStage(
        stage, number: number, sharedHead: sharedHead, keepLevelsInGraph: keepLevelsInGraph,
        in: .init(extractor: part("bbox_roi_extractor"), head: part("bbox_head")))
    }
    let terms = stages.enumerated().map { isCascade ? $1.terms.ofStage($0) : $1.terms }
    self.terms = terms.dropFirst().reduce(terms[0], +)
    decoder = DetectionDecoder(configuration.detection, head: configurations[configurations.count - 1].bboxHead)
  }

  package func train(
    _ levels: [Tensor], _ proposals: [[Proposal]], _ input: DetectorInput, _ draws: Draws
  ) throws -> PendingLosses {
    var (proposals, losses): ([[Proposal]], [PendingLosses]) = (proposals, [])
    for (number, stage) in stages.enumerated() {
      let pass = try stage.pass(levels, proposals, input, draws)
      var hasDiverged = false
      if number + 1 < stages.count {
        (proposals, hasDiverged) = stage.refined(proposals, pass, metas: input.metas)
      }
      losses.append(stage.losses(of: pass, hasDiverged: hasDiverged))
    }
    return losses.dropFirst().reduce(losses[0], +)
  }

  /// Test mode for the proposals of each image: the classes by the mean of all stages' scores, the boxes by the last stage.
  /// - Throws: `DivergenceError`; `NoScoresError`.
  package func detect(_ levels: [Tensor], proposals: [[Proposal]], metas: [ImageMeta]) throws -> [[Detection]] {
    var boxes = proposals.map { $0.map(\.box) }
    var sums: [[Float]] = []
    for (number, stage) in stages.enumerated() {
      let outputs = try stage.outputs(levels, boxes: boxes, metas: metas)
      sums = number == 0 ? outputs.map(\.scores) : zip(sums, outputs).map { zip($0, $1.scores).map(+) }
      guard number + 1 == stages.count else {
        boxes = try metas.indices.map { try stage.refined(boxes[$0], outputs[$0], meta: metas[$0]) }
        continue
      }
      return metas.indices.map { image in
        decoder.detections(
          rois: boxes[image], scores: mean(sums[image]), deltas: outputs[image].deltas, imgShape: metas[image].imgShape,
          scaleFactor: metas[image].scaleFactor)
      }
    }
    bug("a head without stages")
  }

  private func mean(_ sums: [Float]) -> [Float] {
    stages.count == 1 ? sums : sums.map { $0 / Float(stages.count) }
  }
}
