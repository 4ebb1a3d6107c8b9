import Testing
import Training

/// The notations that configurations come in: YAML with and without quotes, mmcv's dumps as YAML and JSON, and what
/// people copy from Python.
@Suite struct ConfigurationNotationTests {
  @Test func quotesMakeNoDifference() throws {
    let plain = try ConfigurationFixture.read(options: []).run
    let changes = [
      ("workflow: [[train, 1]]", "workflow: [[\"train\", 1]]"), ("type: RPNHead", "type: \"RPNHead\""),
      ("metric: bbox", "metric: 'bbox'"), ("metric: bbox", "metric: [\"bbox\"]"),
      ("warmup: linear", "\"warmup\": 'linear'"),
      ("{type: RandomFlip, flip_ratio: 0.5}", "{type: 'RandomFlip', flip_ratio: 0.5, direction: \"horizontal\"}"),
    ]
    for (found, replacement) in changes {
      let read = try ConfigurationFixture.read(replacing: found, with: replacement)
      #expect(read.run == plain, "\(replacement)")
      #expect(read.notices.isEmpty, "\(read.notices)")
    }
  }

  @Test func tuplesOfPythonAreLists() throws {
    let block = try ConfigurationFixture.read(
      replacing: "lr_config: {policy: step, warmup: linear, warmup_iters: 200, warmup_ratio: 0.001, step: [8, 11]}",
      with: "lr_config:\n  policy: step\n  step: (8, 11)\n")
    #expect(block.run.learningRate.policy == .step(milestones: [8, 11], gamma: 0.1, minLR: nil))
    let flow = try ConfigurationFixture.read(
      replacing: "{type: Resize, img_scale: [224, 224], keep_ratio: true}",
      with: "{type: Resize, img_scale: [(320, 240), (160, 120)], multiscale_mode: value}")
    #expect(
      flow.run.data.train.pipeline[0]
        == .resize(
          scales: [.init(width: 320, height: 240), .init(width: 160, height: 120)], mode: .value, keepRatio: true,
          clipsBoxes: true))
    let workflow = try ConfigurationFixture.read(
      replacing: "workflow: [[train, 1]]", with: "workflow: [('train', 1)]")
    #expect(workflow.run == (try ConfigurationFixture.read(options: []).run))
    let again = try ReadConfiguration(text: block.resolved, name: "c.yaml")
    #expect(again.run == block.run)
  }

  @Test func aNameInParenthesesIsAName() throws {
    let read = try ConfigurationFixture.read(
      replacing: "[circle, rectangle, triangle, star, ring]", with: "[(circle), rectangle, (a, b), star]",
      options: ["model.roi_head.bbox_head.num_classes=5"])
    #expect(read.run.data.train.classes == ["(circle)", "rectangle", "(a", "b)", "star"])
  }

  @Test(arguments: [".inf", "inf", "'inf'", "\"inf\"", "Infinity", ".Inf"])
  func infiniteNormIsTheLargestElement(_ text: String) throws {
    let read = try ConfigurationFixture.read(replacing: "norm_type: 2", with: "norm_type: \(text)")
    #expect(read.run.optimizer.gradClip?.normType == .infinity)
    #expect(try ReadConfiguration(text: read.resolved, name: "c.yaml").run == read.run)
  }

  /// As `yaml.dump` writes values that stand in several places.
  @Test func anchorsAndAliasesOfADump() throws {
    let text = """
      - &id001
        type: LoadImageFromFile
      - {type: LoadAnnotations, with_bbox: true}
      - img_scale: &id002 !!python/tuple
        - 1333
        - 800
        keep_ratio: true
        type: Resize
      - {type: Normalize, mean: &id003 [1.0, 2.0, 3.0], std: *id003, to_rgb: false}
      - {type: DefaultFormatBundle}
      - {type: Collect, keys: [img, gt_bboxes, gt_labels]}
      """
    let pipeline = "\n" + text.split(separator: "\n").map { "      \($0)\n" }.joined()
    let quickstart = QuickstartConfiguration.text
    let start = try #require(quickstart.range(of: "    pipeline:\n"))
    let end = try #require(quickstart.range(of: "  val: &val\n"))
    let dump = quickstart[..<start.lowerBound] + "    pipeline:" + pipeline + quickstart[end.lowerBound...]
    let run = try ReadConfiguration(text: String(dump), name: "c.yaml").run
    #expect(
      run.data.train.pipeline == [
        .resize(scales: [.init(width: 1333, height: 800)], mode: .value, keepRatio: true, clipsBoxes: true),
        .normalize(mean: [1, 2, 3], std: [1, 2, 3], toRGB: false),
      ])
  }

  /// What Python's `json` writes: one line, all texts in quotes.
  @Test func aMessageAboutOneLineShowsAWindow() throws {
    let json = try ConfigurationFixture.json(QuickstartConfiguration.text)
    #expect(try ReadConfiguration(text: json, name: "c.json").run == ConfigurationFixture.read(options: []).run)
    let broken = json.replacing("\"policy\": \"step\"", with: "\"policy\": \"OneCycle\"")
    try #require(broken != json)
    let error = try #require(throws: ConfigurationError.self) {
      _ = try ReadConfiguration(text: broken, name: "c.json")
    }
    let lines = error.description.split(separator: "\n")
    #expect(lines.count == 3 && lines.allSatisfy { $0.count < 150 })
    #expect(lines[0].hasSuffix("error: 'lr_config.policy' is 'OneCycle', which is not supported yet"))
    let caret = try #require(lines[2].firstIndex(of: "^"))
    let column = lines[2].distance(from: lines[2].startIndex, to: caret)
    #expect(lines[1].dropFirst(column).hasPrefix("\"OneCycle\""), "\(error)")
    #expect(lines[1].contains("… ") && lines[1].hasSuffix(" …"))
  }

  @Test func variablesOfThePythonFileAreNoticed() throws {
    let read = try ConfigurationFixture.read(
      replacing: "workflow: [[train, 1]]",
      with: "rpn_weight: 0.7\nnorm_cfg: {type: SyncBN}\nalbu_train_transforms: [{type: Blur}]")
    #expect(read.notices.count == 3)
    for (notice, name) in zip(read.notices, ["rpn_weight", "norm_cfg", "albu_train_transforms"]) {
      #expect(notice.contains(": notice: '\(name)' has no meaning here: no key of this name is known"), "\(notice)")
    }
    #expect(try read.run == ConfigurationFixture.read(options: []).run)
  }

  @Test(arguments: [("optimizr_config", "optimizer_config"), ("lr_confg", "lr_config"), ("evalution", "evaluation")])
  func almostAKeyIsAnErrorNotAVariable(_ key: String, _ known: String) throws {
    let message = try ConfigurationFixture.message {
      try ConfigurationFixture.read(replacing: "workflow: [[train, 1]]", with: "\(key): {by_epoch: false}")
    }
    #expect(message.contains("error: unknown key '\(key)' at the top level") && message.contains("'\(known)'?"))
  }
}
