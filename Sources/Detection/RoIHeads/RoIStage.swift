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
  /// What its losses are multiplied by: its `stage_loss_weights`.
  public var weight: Float = 1

  public init() {}
}

/// Assigns and samples proposals, extracts their features, classifies and refines them.
public struct RoIStage {
  /// The number in the cascade, from 0 on; each stage draws for itself.
  private let number: Int
  package let assigner: any Assigner
  package let sampler: any Sampler
  package let extractor: any RoIExtractor
  /// What the extracted features pass through before the head.
  private let sharedHead: ResLayer?
  package let head: any BoxHead
  private let targeter: BBoxTargeter
  private let losses: BBoxLosses
  private let refiner: BoxRefiner
  private let regRoIScaleFactor: Float?
  private let numClasses: Int

  /// Where the parameters of its parts stand: `roi_head.bbox_roi_extractor` and `roi_head.bbox_head`, in a cascade each
  /// with the stage's number.
  public struct Scopes {
    public let extractor: LayerScope
    public let head: LayerScope

    public init(extractor: LayerScope, head: LayerScope) { (self.extractor, self.head) = (extractor, head) }
  }

  public init(
    _ configuration: RoIStageConfiguration, number: Int = 0, sharedHead: ResLayer? = nil, keepLevelsInGraph: Bool,
    in scopes: Scopes
  ) {
    self.init(
      configuration, number: number, sharedHead: sharedHead, sampler: configuration.sampler.make(),
      keepLevelsInGraph: keepLevelsInGraph, in: scopes)
  }

  package init(
    _ configuration: RoIStageConfiguration, number: Int = 0, sharedHead: ResLayer? = nil, sampler: any Sampler,
    keepLevelsInGraph: Bool, in scopes: Scopes
  ) {
    (self.number, self.sharedHead) = (number, sharedHead)
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
    refiner = BoxRefiner(configuration.bboxHead)
  }

  var terms: LossTerms { losses.terms }

  /// Scores and deltas of the regions.
  package func callAsFunction(_ levels: [Tensor], regions: [RegionOfInterest]) throws -> BBoxHeadOutput {
    let engine = levels[0].engine
    func features(scaleFactor: Float?) throws -> Tensor {
      let features = try extractor(levels, regions: regions, scaleFactor: scaleFactor, on: engine)
      return try sharedHead?(features) ?? features
    }
    return try head(
      features(scaleFactor: nil), stretched: regRoIScaleFactor.map { try features(scaleFactor: $0) })
  }

  // MARK: Training

  /// The sampled RoIs of a batch with what the head says of them.
  package struct Pass {
    package let samples: RoISamples
    package let output: BBoxHeadOutput
  }

  package func pass(
    _ levels: [Tensor], _ proposals: [[Proposal]], _ input: DetectorInput, _ draws: Draws
  ) throws -> Pass {
    let samples = try sample(proposals, of: levels, input: input, draws)
    return Pass(samples: samples, output: try self(levels, regions: samples.regions))
  }

  /// - Parameter hasDiverged: boxes came out of it that are none, which no loss may have seen.
  package func losses(of pass: Pass, hasDiverged: Bool = false) -> PendingLosses {
    PendingLosses(counts: losses.counts(pass.samples.targets)) { counts in
      let values = losses(pass.output, pass.samples.targets, counts: counts)
      if hasDiverged, case .loss(let scalar) = values[0] { scalar.values[0] = .nan }
      return values
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
      var random = draws.random(.rcnnSampler, input.metas[image], stage: number)
      let candidates = SamplingCandidates(
        assigned: assigned, boxes: boxes, identities: proposals[image].map(\.anchor), gtBoxes: targets.gtBoxes,
        gtLabels: targets.gtLabels, backgroundLabel: numClasses
      ) { boxes, labels in try classificationLosses(of: boxes, labels, on: levels, image: image) }
      return try sampler.sample(candidates, random: &random)
    }
    return RoISamples(
      images: results, regions: RegionOfInterest.all(of: results.map(\.boxes)), targets: targeter.targets(results))
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

  /// The sampled proposals of each image where this stage moves them, for the next one (`refine_bboxes`). Ground truths
  /// that the sampler added are left out: the next stage's adds them again. No gradient passes through the boxes.
  ///
  /// A box keeps the identity of its proposal, so that draws stay with it through the stages.
  /// - Returns: and whether some were left out because they are not finite.
  package func refined(
    _ proposals: [[Proposal]], _ pass: Pass, metas: [ImageMeta]
  ) -> (proposals: [[Proposal]], hasDiverged: Bool) {
    let labels = pass.samples.targets.labels
    let outputs = HeadRows.each(pass.output, pass.samples.images.map(\.boxes.count))
    var (row, hasDiverged) = (0, false)
    let refined = pass.samples.images.enumerated().map { image, sampled in
      let count = sampled.boxes.count
      defer { row += count }
      let boxes = refiner.refined(
        sampled.boxes, outputs[image], labels: Array(labels[row..<row + count]), imgShape: metas[image].imgShape)
      return zip(boxes, sampled.origins).compactMap { box, origin in
        guard let origin else { return nil as Proposal? }
        guard box.isFinite else {
          hasDiverged = true
          return nil
        }
        let proposal = proposals[image][origin]
        return Proposal(box: box, score: proposal.score, anchor: proposal.anchor)
      }
    }
    return (refined, hasDiverged)
  }

  // MARK: Test mode

  /// What the head says of the boxes of each image.
  /// - Throws: `DivergenceError`; `NoScoresError`.
  func outputs(_ levels: [Tensor], boxes: [[Box]], metas: [ImageMeta]) throws -> [HeadRows] {
    let output = try self(levels, regions: RegionOfInterest.all(of: boxes))
    guard output.scores != nil else { throw NoScoresError() }
    let outputs = HeadRows.each(output, boxes.map(\.count))
    for (output, meta) in zip(outputs, metas) where output.numNotFinite > 0 {
      throw DivergenceError(image: meta.imageID, count: output.numNotFinite, of: "scores and deltas")
    }
    return outputs
  }

  /// An image's boxes, each moved as its likeliest class says.
  /// - Throws: `DivergenceError`.
  func refined(_ boxes: [Box], _ output: HeadRows, meta: ImageMeta) throws -> [Box] {
    let refined = refiner.refined(boxes, output, labels: nil, imgShape: meta.imgShape)
    let numNotFinite = refined.count { !$0.isFinite }
    guard numNotFinite == 0 else {
      throw DivergenceError(image: meta.imageID, count: numNotFinite, of: "refined boxes")
    }
    return refined
  }
}

/// The sampled RoIs of a batch, image by image, an image's positives before its negatives (`bbox2roi`).
package struct RoISamples {
  package let images: [SamplingResult]
  package let regions: [RegionOfInterest]
  package let targets: BBoxTargets
}
