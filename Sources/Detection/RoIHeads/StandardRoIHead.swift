import Kernels
import Layers
import Primitives
import Tensors

/// The second stage: assign and sample proposals, extract their features, classify and refine them. mmdetection's
/// `StandardRoIHead` with a `SingleRoIExtractor` and a `Shared2FCBBoxHead`.
public struct StandardRoIHead {
  private let assigner: MaxIoUAssigner
  private let sampler: RandomSampler
  private let extractor: SingleRoIExtractor
  private let bboxHead: Shared2FCBBoxHead
  private let targeter: BBoxTargeter
  private let decoder: DetectionDecoder

  public init(_ configuration: RoIHeadConfiguration, keepLevelsInGraph: Bool, in scope: LayerScope) {
    assigner = MaxIoUAssigner(configuration.assigner)
    sampler = RandomSampler(configuration.sampler)
    extractor = SingleRoIExtractor(configuration: configuration.extractor, keepLevelsInGraph: keepLevelsInGraph)
    bboxHead = Shared2FCBBoxHead(configuration.bboxHead, in: scope.scope("bbox_head"))
    targeter = BBoxTargeter(configuration)
    decoder = DetectionDecoder(configuration)
  }

  /// Assigns each image's proposals to its objects and samples some of them. The generator's key is
  /// (seed, epoch, image id).
  package func sample(_ proposals: [[Proposal]], input: DetectorInput, seed: UInt64, epoch: Int) -> RoISamples {
    let results = proposals.indices.map { image in
      let (targets, boxes) = (input.targets[image], proposals[image].map(\.box))
      let assigned = assigner.assign(
        boxes, gtBoxes: targets.gtBoxes, gtLabels: targets.gtLabels, gtBoxesIgnore: targets.gtBoxesIgnore)
      var random = KeyedRandom(seed: seed, purpose: .rcnnSampler, epoch: epoch, item: input.metas[image].imageID)
      return sampler.sample(
        assigned, boxes: boxes, identities: proposals[image].map(\.anchor), gtBoxes: targets.gtBoxes,
        gtLabels: targets.gtLabels, random: &random)
    }
    return RoISamples(
      regions: RegionOfInterest.all(of: results.map(\.boxes)),
      targets: targeter.targets(results))
  }

  /// Scores and deltas of the regions.
  package func callAsFunction(_ levels: [Tensor], regions: [RegionOfInterest]) -> BBoxHeadOutput {
    bboxHead(extractor(levels, regions: regions, on: levels[0].engine))
  }

  func losses(
    _ output: BBoxHeadOutput, _ samples: RoISamples, _ normalizers: LossNormalizers
  ) -> (cls: Tensor, bbox: Tensor) {
    bboxHead.losses(output, samples.targets, normalizers)
  }

  /// How many of the sampled RoIs have their label's score on top.
  func correctCount(_ output: BBoxHeadOutput, _ samples: RoISamples) -> Int {
    let labels = samples.targets.labels
    return Int((accuracy(of: output.scores, labels: labels)[0] * Float(labels.count) / 100).rounded())
  }

  /// Test mode for the proposals of each image.
  package func detect(_ levels: [Tensor], proposals: [[Box]], metas: [ImageMeta]) -> [[Detection]] {
    let regions = RegionOfInterest.all(of: proposals)
    let output = self(levels, regions: regions)
    let (scores, deltas) = (output.scores.array, output.deltas.array)
    var row = 0
    return proposals.enumerated().map { image, boxes in
      let rows = row..<row + boxes.count
      row += boxes.count
      return decoder.detections(
        rois: boxes,
        scores: Self.rows(rows, of: scores, total: regions.count),
        deltas: Self.rows(rows, of: deltas, total: regions.count),
        imgShape: metas[image].imgShape, scaleFactor: metas[image].scaleFactor)
    }
  }

  private static func rows(_ rows: Range<Int>, of values: [Float], total: Int) -> [Float] {
    guard total > 0 else { return [] }
    let width = values.count / total
    return Array(values[rows.lowerBound * width..<rows.upperBound * width])
  }
}

/// The sampled RoIs of a batch, image by image, an image's positives before its negatives (`bbox2roi`).
package struct RoISamples {
  package let regions: [RegionOfInterest]
  package let targets: BBoxTargets
}
