import Detection
import Layers
import Primitives
import Tensors
import TestSupport
import Testing

/// What a stage offers its sampler.
@Suite struct RoIStageTests {
  /// Keeps what it is told of the losses, as hard example mining will.
  private final class AskingSampler: Sampler {
    var losses: [[Float]] = []

    func sample(_ candidates: SamplingCandidates, random: inout KeyedRandom) throws -> SamplingResult {
      let ask = try #require(candidates.losses)
      let (assigned, boxes) = (candidates.assigned, candidates.boxes)
      losses.append(try ask(boxes, assigned.gtInds.map { $0 > 0 ? candidates.gtLabels![Int($0) - 1] : 3 }))
      return PseudoSampler().sample(
        SamplingCandidates(
          assigned: assigned, boxes: boxes, gtBoxes: candidates.gtBoxes, gtLabels: candidates.gtLabels),
        random: &random)
    }
  }

  @Test func aSamplerIsToldTheHeadsOwnLosses() throws {
    let engine = Engine(threads: 1)
    let sampler = AskingSampler()
    let (stage, store) = Self.stage(sampler)
    defer { withExtendedLifetime(store) {} }
    engine.tape = Tape()
    var random = KeyedRandom(seed: 2, purpose: .test)
    let levels = [Tensor([2, 8, 8, 4], (0..<512).map { _ in random.normal() }, on: engine)]
    let size = ImageSize(height: 32, width: 32)
    let input = DetectorInput(
      images: levels[0], metas: [1, 2].map { ImageMeta(imageID: $0, imgShape: size, padShape: size) },
      targets: [
        ImageTargets(gtBoxes: [Box(0, 0, 16, 16)], gtLabels: [2]), ImageTargets(gtBoxes: [], gtLabels: []),
      ])
    let proposals = [[Box(1, 0, 17, 16), Box(16, 16, 30, 30)], [Box(4, 4, 20, 12)]].map { boxes in
      boxes.enumerated().map { Proposal(box: $1, score: 1, anchor: $0) }
    }
    let pending = stage.losses(of: try stage.pass(levels, proposals, input, Draws(seed: 0, epoch: 0)))
    let values = try pending.finish(pending.counts)
    #expect(sampler.losses.map(\.count) == [2, 1])
    // `loss_cls` is their mean.
    let mean = sampler.losses.joined().reduce(0.0) { $0 + Double($1) } / 3
    expectClose([Float(values[0].value)], [Float(mean)], relative: 1e-6, "loss_cls")
    // What is asked for is not recorded.
    let count = try #require(engine.tape).count
    engine.tape = Tape()
    let quiet = Self.stage(PseudoSampler())
    let losses = quiet.stage.losses(of: try quiet.stage.pass(levels, proposals, input, Draws(seed: 0, epoch: 0)))
    _ = try losses.finish(losses.counts)
    withExtendedLifetime(quiet.store) {}
    #expect(engine.tape?.count == count)
  }

  private static func stage(_ sampler: any Sampler) -> (stage: RoIStage, store: ParameterStore) {
    let store = ParameterStore()
    let stage = RoIStage(
      configuration, sampler: sampler, keepLevelsInGraph: true,
      in: .init(extractor: LayerScope(store: store), head: LayerScope(store: store)))
    store.allocate(seed: 5)
    return (stage, store)
  }

  private static var configuration: RoIStageConfiguration {
    var configuration = RoIStageConfiguration()
    var (extractor, layers, assigner) = (
      SingleRoIExtractorConfiguration(), ConvFCConfiguration.shared2FC, MaxIoUAssignerConfiguration()
    )
    (extractor.outChannels, extractor.featmapStrides, extractor.outputHeight, extractor.outputWidth) = (4, [4], 2, 2)
    layers.fcOutChannels = 8
    (assigner.posIoUThr, assigner.negIoUThr, assigner.matchLowQuality) = (0.5, .init(high: 0.5), false)
    configuration.extractor = .single(extractor)
    configuration.assigner = .maxIoU(assigner)
    (configuration.bboxHead.inChannels, configuration.bboxHead.roiFeatSize) = (4, 2)
    (configuration.bboxHead.numClasses, configuration.bboxHead.layers) = (3, .convFC(layers))
    return configuration
  }
}
