import COCO
import Testing
import Training

/// Data sections and pipelines, against mmdetection 2.11's transforms.
@Suite struct PipelineReaderTests {
  private static let flip = "{type: RandomFlip, flip_ratio: 0.5}"
  private static let collect = "{type: Collect, keys: [img, gt_bboxes, gt_labels]}"

  private func flips(_ arguments: String) throws -> PipelineStep? {
    let read = try ConfigurationFixture.read(replacing: Self.flip, with: "{type: RandomFlip, \(arguments)}")
    return read.run.data.train.pipeline.first { if case .randomFlip = $0 { true } else { false } }
  }

  @Test func flipRatioIsSharedByTheDirectionsOrHasOneForEach() throws {
    #expect(try flips("flip_ratio: 0.5") == .randomFlip(ratio: 0.5, direction: .horizontal))
    #expect(try flips("flip_ratio: 1, direction: diagonal") == .randomFlip(ratio: 1, direction: .diagonal))
    #expect(
      try flips("flip_ratio: 0.5, direction: [horizontal, vertical]")
        == .randomFlip([
          FlipChance(direction: .horizontal, ratio: 0.25), FlipChance(direction: .vertical, ratio: 0.25),
        ]))
    #expect(
      try flips("flip_ratio: [0.3, 0.5], direction: [horizontal, vertical]")
        == .randomFlip([
          FlipChance(direction: .horizontal, ratio: 0.3), FlipChance(direction: .vertical, ratio: 0.5),
        ]))
    #expect(try flips("flip_ratio: 0") == nil)
  }

  @Test(arguments: [
    ("flip_ratio: [0.3, 0.5]", "flip_ratio' is [0.3, 0.5], expected a number from 0 to 1"),
    ("flip_ratio: [0.7, 0.5], direction: [horizontal, vertical]", "expected a number from 0 to 1, also in sum"),
    ("flip_ratio: 0.5, direction: [up]", "direction' is [up], expected one of horizontal, vertical, diagonal, or a"),
    ("direction: vertical", "lacks 'flip_ratio' (a number from 0 to 1)"),
  ])
  func impossibleFlips(_ arguments: String, _ expected: String) throws {
    let message = try ConfigurationFixture.message {
      try ConfigurationFixture.read(replacing: Self.flip, with: "{type: RandomFlip, \(arguments)}")
    }
    #expect(message.contains(expected), "\(message)")
  }

  @Test func picturesAreLoadedAsFloatsOnlyWhereThatIsAskedFor() throws {
    let plain = try ConfigurationFixture.read(options: []).run.data
    for value in [true, false] {
      let read = try ConfigurationFixture.read(options: [
        "data.train.pipeline.0.to_float32=\(value)", "data.test.pipeline.0.to_float32=\(value)",
      ]).run.data
      let loading: [PipelineStep] = value ? [.loadAsFloats] : []
      #expect(read.train.pipeline == loading + plain.train.pipeline)
      #expect(read.test?.pipeline == loading + (plain.test?.pipeline ?? []))
    }
  }

  @Test func onlyWhatCollectNamesReachesTheAssigner() throws {
    let without = try ConfigurationFixture.read(options: ["model.train_cfg.rpn.assigner.ignore_iof_thr=0.5"])
    #expect(!without.run.data.train.collectsIgnored)
    #expect(
      without.notices == [
        "--cfg-options: notice: 'model.train_cfg.rpn.assigner.ignore_iof_thr' has no effect: 'Collect' in data.train "
          + "does not name gt_bboxes_ignore"
      ])
    let with = try ConfigurationFixture.read(
      replacing: Self.collect, with: "{type: Collect, keys: [img, gt_bboxes, gt_labels, gt_bboxes_ignore]}",
      options: ["model.train_cfg.rpn.assigner.ignore_iof_thr=0.5"])
    #expect(with.run.data.train.collectsIgnored && with.notices.isEmpty)
  }

  @Test(arguments: [
    "{type: Collect, keys: [img, gt_bboxes, gt_labels, gt_masks]}",
    "{type: Collect}", "{type: ToTensor, keys: [proposals]}", "{type: ImageToTensor, keys: []}",
    "{type: Transpose, keys: [img], order: [1, 2, 0]}", "{type: ToDataContainer, fields: [{key: gt_masks}]}",
  ])
  func whatAFormattingStepCannotNameIsAnError(_ step: String) throws {
    let message = try ConfigurationFixture.message {
      try ConfigurationFixture.read(replacing: Self.collect, with: step)
    }
    #expect(message.contains("'data.train.pipeline.7"), "\(message)")
  }

  /// An RPN needs no labels, so that it depends on the detector.
  @Test func aDetectorOfClassesNeedsLabels() throws {
    let message = try ConfigurationFixture.message {
      try ConfigurationFixture.read(replacing: Self.collect, with: "{type: Collect, keys: [img, gt_bboxes]}")
    }
    let sentence = "'data.train.pipeline' gives no gt_labels, which a detector of classes needs"
    #expect(message.contains(sentence), "\(message)")
  }

  @Test func formattingStepsChangeNothing() throws {
    let steps = [
      "{type: ToTensor, keys: [gt_bboxes, gt_labels]}", "{type: Transpose, keys: [img], order: [2, 0, 1]}",
      "{type: ToDataContainer, fields: [{key: img, stack: true}, {key: gt_bboxes}]}", "{type: WrapFieldsToLists}",
    ]
    let read = try ConfigurationFixture.read(
      replacing: "      - \(Self.collect)\n",
      with: (steps + [Self.collect]).map { "      - \($0)\n" }.joined())
    #expect(try read.run == ConfigurationFixture.read(options: []).run)
    #expect(read.notices.count == 1 && read.notices[0].contains("'data.train.pipeline.9.fields.0.stack'"))
  }

  @Test func keysThatATestPipelineDoesNotLookAtAreNoticed() throws {
    let read = try ConfigurationFixture.read(options: [
      "data.test.pipeline.1.transforms.1.flip_ratio=0.5", "data.test.pipeline.1.transforms.0.img_scale=[9,9]",
      "data.test.filter_empty_gt=true", "data.test.pipeline.1.flip_direction=vertical",
    ])
    for key in ["transforms.1.flip_ratio", "transforms.0.img_scale", "filter_empty_gt", "flip_direction"] {
      #expect(read.notices.contains { $0.contains(".\(key)' has no meaning here") }, "\(key)")
    }
    #expect(try read.run == ConfigurationFixture.read(options: []).run)
  }

  @Test func olderNameOfSamplesPerGPUIsUsedAsThere() throws {
    let read = try ConfigurationFixture.read(options: ["data.imgs_per_gpu=3"])
    #expect(read.run.data.samplesPerGPU == 3)
    #expect(
      read.notices == [
        "--cfg-options: notice: 'data.imgs_per_gpu' is the older name of 'samples_per_gpu', and is used in its stead, "
          + "as mmdetection does"
      ])
  }
}
