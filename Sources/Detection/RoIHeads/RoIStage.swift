import Kernels
import Layers
import Primitives
import Tensors

/// One stage of a `RoIHead`.
public struct RoIStageConfiguration: Equatable, Sendable {
  public var assigner = AssignerConfiguration.maxIoU(MaxIoUAssignerConfiguration())
  public var sampler = SamplerConfiguration.random(RandomSamplerConfiguration())
  /// `train_cfg.rcnn.pos_weight`; at most 0: weight 1 for positives.
  public var posWeight: Float = -1
  public var extractor = RoIExtractorConfiguration.single(SingleRoIExtractorConfiguration())
  public var bboxHead = BBoxHeadConfiguration()
  /// `reg_roi_scale_factor` of `DoubleHeadRoIHead`: how much larger the regions are that the deltas are told from.
  public var regRoIScaleFactor: Float?
  /// What its losses are multiplied by.
  public var weight: Float = 1

  public init() {}
}

/// Assigns and samples proposals, extracts their features, classifies and refines them.
public struct RoIStage {
  package let assigner: any Assigner
  package let sampler: any Sampler
  package let extractor: any RoIExtractor
  package let head: any BoxHead
  private let targeter: BBoxTargeter
  private let losses: BBoxLosses
  private let regRoIScaleFactor: Float?
  private let numClasses: Int

  /// Where the parameters of its parts stand: `roi_head.bbox_roi_extractor` and `roi_head.bbox_head`.
  public struct Scopes {
    public let extractor: LayerScope
    public let head: LayerScope

    public init(extractor: LayerScope, head: LayerScope) { (self.extractor, self.head) = (extractor, head) }
  }

  public init(_ configuration: RoIStageConfiguration, keepLevelsInGraph: Bool, in scopes: Scopes) {
    self.init(
      configuration, sampler: configuration.sampler.make(), keepLevelsInGraph: keepLevelsInGraph, in: scopes)
  }

  package init(
    _ configuration: RoIStageConfiguration, sampler: any Sampler, keepLevelsInGraph: Bool, in scopes: Scopes
  ) {
    assigner = configuration.assigner.make()
    self.sampler = sampler
    extractor = configuration.extractor.make(keepLevelsInGraph: keepLevelsInGraph, in: scopes.extractor)
    head = configuration.bboxHead.make(in: scopes.head)
    (regRoIScaleFactor, numClasses) = (configuration.regRoIScaleFactor, configuration.bboxHead.numClasses)
    targeter = BBoxTargeter(configuration.bboxHead, posWeight: configuration.posWeight)
    var weighted = configuration.bboxHead
    weighted.lossCls.lossWeight *= configuration.weight
    weighted.lossBBox.lossWeight *= configuration.weight
    losses = BBoxLosses(weighted)
  }

  var terms: LossTerms { losses.terms }

  /// Scores and deltas of the regions.
  package func callAsFunction(_ levels: [Tensor], regions: [RegionOfInterest]) throws -> BBoxHeadOutput {
    let engine = levels[0].engine
    let features = try extractor(levels, regions: regions, on: engine)
    let stretched = try regRoIScaleFactor.map {
      try extractor(levels, regions: regions, scaleFactor: $0, on: engine)
    }
    return try head(features, stretched: stretched)
  }

  package func train(
    _ levels: [Tensor], _ proposals: [[Proposal]], _ input: DetectorInput, _ draws: Draws
  ) throws -> PendingLosses {
    let samples = try sample(proposals, of: levels, input: input, draws)
    let output = try self(levels, regions: samples.regions)
    return PendingLosses(counts: losses.counts(samples.targets)) { counts in
      losses(output, samples.targets, counts: counts)
    }
  }

  /// Assigns each image's proposals to its objects and samples some of them.
  package func sample(
    _ proposals: [[Proposal]], of levels: [Tensor], input: DetectorInput, _ draws: Draws
  ) throws -> RoISamples {
    let results = try proposals.indices.map { image in
      let (targets, boxes) = (input.targets[image], proposals[image].map(\.box))
      let assigned = assigner.assign(
        boxes, gtBoxes: targets.gtBoxes, gtLabels: targets.gtLabels, gtBoxesIgnore: targets.gtBoxesIgnore)
      var random = draws.random(.rcnnSampler, input.metas[image])
      let candidates = SamplingCandidates(
        assigned: assigned, boxes: boxes, identities: proposals[image].map(\.anchor), gtBoxes: targets.gtBoxes,
        gtLabels: targets.gtLabels, backgroundLabel: numClasses
      ) { boxes, labels in try classificationLosses(of: boxes, labels, on: levels, image: image) }
      return try sampler.sample(candidates, random: &random)
    }
    return RoISamples(
      regions: RegionOfInterest.all(of: results.map(\.boxes)),
      targets: targeter.targets(results))
  }

  /// What the sampler of an image may ask for; not recorded, so that batch norms use their running statistics.
  private func classificationLosses(
    of boxes: [Box], _ labels: [Int], on levels: [Tensor], image: Int
  ) throws -> [Float] {
    try levels[0].engine.withoutTape {
      let regions = boxes.map { RegionOfInterest(image: image, $0) }
      return losses.classification(try self(levels, regions: regions), labels: labels)
    }
  }
}

/// The sampled RoIs of a batch, image by image, an image's positives before its negatives (`bbox2roi`).
package struct RoISamples {
  package let regions: [RegionOfInterest]
  package let targets: BBoxTargets
}
