import Detection
import Foundation
import Primitives
import Tensors
import TestSupport
import Testing
import Training

/// A tiny Faster R-CNN of torchvision, in the names of version 0.9 and of 0.28. Its proposals can't be ours: it rounds
/// its anchors. Everything before and behind them must be the same.
@Suite struct TorchvisionTests {
  private func read(_ file: String) throws -> TorchCheckpoint {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: GoldenCase.path(file)))
    return try TorchCheckpoint(Array(bytes), name: file)
  }

  private func model() throws -> DetectorModel {
    var model = try ReferenceDetector.configuration(GoldenCase.all("detector")[0])
    guard case .resNet(var backbone) = model.backbone, case .fpn(var neck) = model.neck,
      case .rpnHead(var rpnHead) = model.source, case .single(var extractor) = model.roiHead!.stages[0].extractor,
      case .convFC(var layers) = model.roiHead!.stages[0].bboxHead.layers
    else { throw GoldenError("the reference detector has other parts") }
    backbone.baseChannels = 4
    neck.outChannels = 8
    (rpnHead.inChannels, rpnHead.featChannels) = (8, 8)
    (extractor.samplingRatio, extractor.aligned) = (2, false)
    layers.fcOutChannels = 16
    (model.backbone, model.neck, model.source) = (.resNet(backbone), .fpn(neck), .rpnHead(rpnHead))
    (model.roiHead!.stages[0].extractor, model.roiHead!.stages[0].bboxHead.inChannels) = (.single(extractor), 8)
    model.roiHead!.stages[0].bboxHead.layers = .convFC(layers)
    (model.roiHead!.detection.scoreThr, model.roiHead!.detection.maxPerImg) = (0.05, 30)
    let result = DetectorModel(model, seed: 0, threads: 2)
    let weights = WeightImport(
      path: "w.pth", checkpoint: try read("tiny_torchvision.pth").checkpoint, classes: [], demand: .whole)
    #expect(try weights.load(into: result.store) == [])
    return result
  }

  @Test func bothVersionsHoldTheSame() throws {
    let (old, new) = (try read("tiny_torchvision.pth"), try read("tiny_torchvision_new.pth"))
    #expect(old.checkpoint == new.checkpoint)
    #expect(old.notices.count == 2)
  }

  @Test func mapsAndDetectionsAreTorchvisions() throws {
    let (golden, model) = (try GoldenCase.all("torchvision")[0], try model())
    let detector = try #require(model.detector as? TwoStageDetector)
    let levels = try detector.features(golden.image(on: model.engine))
    let shape = try golden.shape("expected/fpn_2")
    expectCloseToMaximum(
      levels[2].array, channelsInnermost(try golden.floats("expected/fpn_2"), shape), 2e-5, "fpn_2")
    let norms = levels.map { level in level.array.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot() }
    expectClose(norms.map { Float($0) }, try golden.floats("expected/fpn_l2"), relative: 2e-5, "fpn_l2")

    let proposals = try boxes(golden.floats("expected/proposals"))
    let size = ImageSize(height: 96, width: 128)
    let meta = ImageMeta(imageID: 0, imgShape: size, padShape: size)
    let detections = try detector.roiHead.detect(levels, proposals: [proposals], metas: [meta])[0]
    #expect(try detections.map { $0.label + 1 } == golden.integers("expected/labels"))
    expectClose(
      detections.flatMap { [$0.box.x1, $0.box.y1, $0.box.x2, $0.box.y2] }, try golden.floats("expected/boxes"),
      absolute: 0.02, "boxes")
    expectClose(detections.map(\.score), try golden.floats("expected/scores"), absolute: 1e-4, "scores")
  }

  private func boxes(_ values: [Float]) -> [Proposal] {
    stride(from: 0, to: values.count, by: 4).map {
      Proposal(
        box: Box(values[$0], values[$0 + 1], values[$0 + 2], values[$0 + 3]), score: 1, anchor: $0)
    }
  }
}
