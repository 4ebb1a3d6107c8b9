import COCO
import Primitives
import TestSupport
import Testing

/// pipeline.h5: all its cases, each compared exactly.
@Suite struct PipelineGoldenTests {
  @Test func everyCaseIsCompared() throws {
    var compared: [String: Int] = [:]
    for golden in try GoldenCase.all("pipeline") {
      let function = try #require(golden.string("fn"))
      switch function {
      case "Resize", "RandomFlip", "Normalize", "Normalize+Pad", "Pad", "chain": try comparePipeline(golden, function)
      case "rescale_size": try compareSizes(golden)
      case "_set_group_flag": try compareFlags(golden)
      default: Issue.record("\(golden) has the unknown function \(function)")
      }
      compared[function, default: 0] += 1
    }
    #expect(
      compared == [
        "Resize": 17, "rescale_size": 3, "RandomFlip": 3, "Normalize": 2, "Normalize+Pad": 3, "Pad": 1, "chain": 2,
        "_set_group_flag": 1,
      ])
  }

  private func comparePipeline(_ golden: GoldenCase, _ function: String) throws {
    let shape = try golden.shape("inputs/img")
    let picture = DecodedImage(height: shape[0], width: shape[1], pixels: try golden.bytes("inputs/img"))
    let boxes = try Self.boxes(golden, "inputs/gt_bboxes")
    let ignored = try Self.boxes(golden, "inputs/gt_bboxes_ignore")
    let image = CocoDataset.Image(
      id: 1, fileName: "", width: picture.width, height: picture.height, boxes: boxes,
      labels: [Int](repeating: 0, count: boxes.count), ignored: ignored)
    let pipeline = try Pipeline(steps(golden, function))
    let sample = pipeline.apply(picture, image, key: DrawKey(seed: 0, epoch: 0))

    #expect(sample.boxes == (try Self.boxes(golden, "expected/gt_bboxes")), "\(golden)")
    #expect(sample.ignored == (try Self.boxes(golden, "expected/gt_bboxes_ignore")), "\(golden)")
    #expect(
      [sample.geometry.imgShape.height, sample.geometry.imgShape.width, 3]
        == (try golden.integers("expected/img_shape")))
    if golden.has("expected/scale_factor") {
      let scale = sample.geometry.scaleFactor
      let expected = try golden.floats("expected/scale_factor")
      #expect([scale.width, scale.height, scale.width, scale.height] == expected, "\(golden)")
    }
    try compareImage(golden, sample, function)
  }

  private func compareImage(_ golden: GoldenCase, _ sample: Sample, _ function: String) throws {
    let shape = try golden.shape("expected/img")
    let size = ImageSize(height: shape[0], width: shape[1])
    if golden.has("expected/pad_shape") && function != "Pad" { #expect(sample.geometry.padShape == size, "\(golden)") }
    let plan = BatchPlan(key: DrawKey(seed: 0, epoch: 0), iteration: 0, indices: [0], size: size)
    let isFloat = ["Normalize", "Normalize+Pad", "chain"].contains(function)
    let expected = isFloat ? try golden.floats("expected/img") : try golden.bytes("expected/img").map(Float.init)
    #expect(Batch([sample], plan: plan).pixels == expected, "\(golden)")
  }

  private func steps(_ golden: GoldenCase, _ function: String) -> [PipelineStep] {
    var steps: [PipelineStep] = []
    if let scale = golden.numbers("img_scale").map({ ImageScale(width: Int($0[0]), height: Int($0[1])) }) {
      steps.append(
        .resize(
          scales: [scale], mode: .value, keepRatio: golden.flag("keep_ratio") ?? true,
          clipsBoxes: golden.flag("bbox_clip_border") ?? true))
    }
    if let flip = golden.flag("flip") {
      let direction = golden.string("direction").flatMap(FlipDirection.init(rawValue:)) ?? .horizontal
      steps.append(.randomFlip(ratio: flip ? 1 : 0, direction: direction))
    }
    if let mean = golden.numbers("mean"), let std = golden.numbers("std") {
      steps.append(.normalize(mean: mean, std: std, toRGB: golden.flag("to_rgb") ?? true))
    }
    if let divisor = golden.integer("size_divisor") { steps.append(.pad(sizeDivisor: divisor)) }
    return steps
  }

  private func compareSizes(_ golden: GoldenCase) throws {
    let scale = try #require(golden.numbers("img_scale")).map { Int($0) }
    let pipeline = try Pipeline([
      .resize(scales: [ImageScale(width: scale[0], height: scale[1])], mode: .value, keepRatio: true, clipsBoxes: true)
    ])
    let oldSizes = try golden.integers("inputs/old_sizes")
    let factors = try golden.floats("expected/scale_factor")
    var newSizes: [Int] = []
    for index in stride(from: 0, to: oldSizes.count, by: 2) {
      let size = ImageSize(height: oldSizes[index + 1], width: oldSizes[index])
      let geometry = pipeline.geometry(of: size, imageID: 1, key: DrawKey(seed: 0, epoch: 0))
      newSizes += [geometry.imgShape.width, geometry.imgShape.height]
      #expect([geometry.scaleFactor.width, geometry.scaleFactor.height] == Array(factors[index * 2..<index * 2 + 2]))
    }
    #expect(newSizes == (try golden.integers("expected/new_sizes")), "\(golden)")
  }

  private func compareFlags(_ golden: GoldenCase) throws {
    let (widths, heights) = (try golden.integers("inputs/widths"), try golden.integers("inputs/heights"))
    let sizes = zip(heights, widths).map { ImageSize(height: $0, width: $1) }
    let dataset = try TestData.dataset(sizes: sizes)
    #expect(dataset.images.map(\.aspectGroup) == (try golden.integers("expected/flag")))
    for batch in 1...4 {
      let expected = try golden.integers("expected/num_samples_spg\(batch)")[0]
      let order = EpochOrder(
        groups: dataset.images.map(\.aspectGroup), globalBatch: batch, seed: 1, epoch: 0)
      #expect(order.batches.joined().count == expected)
      #expect(dataset.iterationsPerEpoch(globalBatch: batch) * batch == expected)
    }
  }

  private static func boxes(_ golden: GoldenCase, _ name: String) throws -> [Box] {
    let numbers = try golden.floats(name)
    return stride(from: 0, to: numbers.count, by: 4).map {
      Box(numbers[$0], numbers[$0 + 1], numbers[$0 + 2], numbers[$0 + 3])
    }
  }
}
