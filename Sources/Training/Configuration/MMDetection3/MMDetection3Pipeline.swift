extension MMDetection3 {
  /// A step with 2.11's keys; nil where it says nothing there.
  static func readStep(
    _ node: ConfigurationNode, isForTraining: Bool, _ notices: ConfigurationNotices
  ) throws -> ConfigurationNode? {
    var step = try NewerPart(node, path: "pipeline", notices: notices)
    step.drop("backend_args", "file_client_args")
    switch step.value("type").flatMap(String.init(configuration:)) {
    case "PackDetInputs": return nil
    case "LoadAnnotations":
      guard isForTraining else { return nil }
      try step.require("box_type", "hbox")
    case "Resize":
      step.rename("scale", to: "img_scale")
      step.rename("scale_factor", to: "ratio_range")
      try readResize(&step)
    case "RandomChoiceResize":
      step.set("type", to: "Resize", isQuoted: true)
      step.rename("scales", to: "img_scale")
      step.set("multiscale_mode", to: "value", isQuoted: true)
      try readResize(&step)
    case "RandomResize":
      step.set("type", to: "Resize", isQuoted: true)
      step.rename("scale", to: "img_scale")
      step.set("multiscale_mode", to: "range", isQuoted: true)
      try readResize(&step)
    case "RandomFlip": step.rename("prob", to: "flip_ratio")
    default: break
    }
    return step.node
  }

  /// mmdetection 3 does not keep the ratio unless it is asked to; 2.11 does.
  private static func readResize(_ step: inout NewerPart) throws {
    try step.require("resize_type", "Resize")
    step.rename("clip_object_border", to: "bbox_clip_border")
    let keepsRatio = step.take("keep_ratio")
    step.set("keep_ratio", to: "false")
    step.set("keep_ratio", to: keepsRatio)
  }

  private static func step(_ type: String, at place: ConfigurationPlace, keys: [String] = []) -> ConfigurationNode {
    func text(_ text: String) -> ConfigurationNode {
      ConfigurationNode(content: .scalar(text, isQuoted: true), place: place)
    }
    var entries = [ConfigurationNode.Entry(key: "type", place: place, value: text(type))]
    if !keys.isEmpty {
      let list = ConfigurationNode(content: .sequence(keys.map(text)), place: place)
      entries.append(.init(key: "keys", place: place, value: list))
    }
    return ConfigurationNode(content: .mapping(entries), place: place)
  }

  static func trainPipeline(
    _ steps: [ConfigurationNode?], _ preprocessor: [ConfigurationNode]
  ) -> [ConfigurationNode] {
    let read = steps.compactMap { $0 }
    guard let place = read.last?.place else { return [] }
    return read + preprocessor + [
      step("DefaultFormatBundle", at: place), step("Collect", at: place, keys: ["img", "gt_bboxes", "gt_labels"]),
    ]
  }

  /// The steps behind the loading go into a `MultiScaleFlipAug` of the scale that `Resize` names.
  static func testPipeline(
    _ steps: [ConfigurationNode?], _ preprocessor: [ConfigurationNode], at pipeline: ConfigurationNode
  ) throws -> [ConfigurationNode] {
    let read = steps.compactMap { $0 }
    func isLoading(_ node: ConfigurationNode) -> Bool {
      node.entry("type").flatMap { String(configuration: $0.value) }?.hasPrefix("Load") ?? false
    }
    guard let scale = read.lazy.compactMap({ $0.entry("img_scale") }).first else {
      throw ConfigurationError(pipeline.place, "the test pipeline has no 'Resize' with a scale")
    }
    let rest = read.filter { !isLoading($0) }.map { node in
      var node = node
      node.content = .mapping(node.entries.filter { $0.key != "img_scale" })
      return node
    }
    var wrapper = step("MultiScaleFlipAug", at: scale.place)
    let ends = [step("ImageToTensor", at: scale.place, keys: ["img"]), step("Collect", at: scale.place, keys: ["img"])]
    let transforms = ConfigurationNode(content: .sequence(rest + preprocessor + ends), place: scale.place)
    let flip = ConfigurationNode(content: .scalar("false", isQuoted: false), place: scale.place)
    wrapper.content = .mapping(
      wrapper.entries + [
        scale, .init(key: "flip", place: scale.place, value: flip),
        .init(key: "transforms", place: scale.place, value: transforms),
      ])
    return read.filter(isLoading) + [wrapper]
  }
}
