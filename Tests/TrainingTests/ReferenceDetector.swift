import Detection
import Foundation
import Layers
import Primitives
import Tensors
import TestSupport
import Testing
import Training

/// A detector of `detector.h5` with its weights and its two batches.
struct ReferenceDetector {
  let golden: GoldenCase
  let model: DetectorModel

  init(_ golden: GoldenCase) throws {
    self.golden = golden
    model = DetectorModel(try Self.configuration(golden), seed: 0, threads: 2)
    for parameter in model.store.parameters {
      parameter.importValues(try golden.floats("inputs/state_dict/\(parameter.name)"), into: parameter.values)
    }
  }

  /// The `model` dictionary that mmdetection itself built the detector from, read as the section of a configuration.
  static func configuration(_ golden: GoldenCase) throws -> TwoStageConfiguration {
    let json = try #require(golden.string("cfg"))
    let data = try #require(QuickstartConfiguration.text.range(of: "data:\n"))
    let options = ["train", "val", "test"].map { "data.\($0).classes=[a,b,c,d]" } + ["work_dir=w"]
    let text = "model: \(json)\n" + QuickstartConfiguration.text[data.lowerBound...]
    return try ReadConfiguration(text: text, name: "c.yaml", options: options).run.model
  }

  var optimizer: OptimizerConfiguration {
    get throws {
      var optimizer = OptimizerConfiguration()
      optimizer.lr = try #require(golden.number("lr"))
      optimizer.momentum = Float(try #require(golden.number("momentum")))
      optimizer.weightDecay = Float(try #require(golden.number("weight_decay")))
      if golden.flag("has_grad_clip") == true {
        optimizer.gradClip = GradClip(
          maxNorm: try #require(golden.number("grad_clip_max_norm")),
          normType: try #require(golden.number("grad_clip_norm_type")))
      }
      return optimizer
    }
  }

  var store: ParameterStore { model.store }

  /// The detector in its parts.
  var parts: TwoStageDetector {
    get throws { try #require(model.detector as? TwoStageDetector) }
  }

  /// `inputs/batch_0` or `inputs/batch_1`.
  func batch(_ number: Int) throws -> DetectorInput {
    let group = "inputs/batch_\(number)"
    let (shape, pixels) = (try golden.shape("\(group)/img"), try golden.floats("\(group)/img"))
    let images = Tensor(
      [shape[0], shape[2], shape[3], shape[1]], channelsInnermost(pixels, shape), on: model.engine)
    let (imgShapes, padShapes) = (try sizes("\(group)/img_shapes"), try sizes("\(group)/pad_shapes"))
    let factors = try golden.floats("\(group)/scale_factors")
    return DetectorInput(
      images: images,
      metas: imgShapes.indices.map {
        ImageMeta(
          imageID: Int64($0), imgShape: imgShapes[$0], padShape: padShapes[$0],
          scaleFactor: (factors[4 * $0], factors[4 * $0 + 1]))
      },
      targets: try imgShapes.indices.map {
        ImageTargets(
          gtBoxes: try boxes("\(group)/gt_bboxes_\($0)"), gtLabels: try golden.integers("\(group)/gt_labels_\($0)"),
          gtBoxesIgnore: golden.has("\(group)/gt_bboxes_ignore_\($0)")
            ? try boxes("\(group)/gt_bboxes_ignore_\($0)") : [])
      })
  }

  /// One image of a batch alone, in test mode.
  func image(_ index: Int, of batch: DetectorInput) -> DetectorInput {
    let size = batch.imageSize
    let count = size.height * size.width * 3
    let pixels = batch.images.array(index * count..<(index + 1) * count)
    return DetectorInput(
      images: Tensor([1, size.height, size.width, 3], pixels, on: model.engine), metas: [batch.metas[index]])
  }

  /// One forward and backward pass from zero gradients.
  func losses(_ input: DetectorInput) throws -> LossValues {
    store.zeroGradients()
    let tape = Tape()
    model.engine.tape = tape
    defer { model.engine.tape = nil }
    let pending = try model.detector.train(input, Draws(seed: 0, epoch: 0))
    let terms = try pending.finish(pending.counts)
    try tape.backward(from: terms.total)
    let values = zip(model.detector.terms.terms, terms).map { term, value in
      term.isSummed ? value.value : value.value / pending.counts[term.divisor!]
    }
    return LossValues(model.detector.terms, values)
  }

  func boxes(_ dataset: String) throws -> [Box] {
    let values = try golden.floats(dataset)
    return stride(from: 0, to: values.count, by: 4).map {
      Box(values[$0], values[$0 + 1], values[$0 + 2], values[$0 + 3])
    }
  }

  private func sizes(_ dataset: String) throws -> [ImageSize] {
    let values = try golden.integers(dataset)
    return stride(from: 0, to: values.count, by: 3).map { ImageSize(height: values[$0], width: values[$0 + 1]) }
  }
}

extension GoldenCase {
  /// Within the reference's tolerances, 0.02 pixels and 1e-4, against rows of x1, y1, x2, y2, score.
  ///
  /// Where several at the end share one score to the bit (boxes without area have the same features), there may have been
  /// more of them, of which any were kept, in any order: of these the scores alone are compared.
  func expectBoxes(_ boxes: [(box: Box, score: Float)], _ name: String) throws {
    let expected = try floats(name)
    #expect(boxes.count == expected.count / 5, "\(self) \(name)")
    let last = stride(from: 4, to: expected.count, by: 5).reversed().prefix { expected[$0] == expected.last }.count
    let count = boxes.count - (last > 1 ? last : 0)
    let coordinates = boxes.prefix(count).flatMap { [$0.box.x1, $0.box.y1, $0.box.x2, $0.box.y2] }
    let indices = expected.indices.filter { $0 % 5 < 4 && $0 < 5 * count }
    expectClose(coordinates, indices.map { expected[$0] }, absolute: 0.02, "\(self) \(name)")
    let scores = stride(from: 4, to: expected.count, by: 5).map { expected[$0] }
    expectClose(boxes.map(\.score), scores, absolute: 1e-4, "\(self) \(name) scores")
  }

  /// An attribute that is a JSON list of strings.
  func names(_ attribute: String, of group: String = "") throws -> [String] {
    let text = try #require(string(attribute, of: group))
    return try JSONDecoder().decode([String].self, from: Data(text.utf8))
  }
}
