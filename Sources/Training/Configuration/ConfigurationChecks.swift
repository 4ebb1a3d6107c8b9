import COCO
import Detection
import Layers

/// What has to fit together between the parts of a configuration. mmdetection finds most of these out at the first
/// step, in a tensor operation; here they are found when the configuration is read.
extension RunConfiguration {
  /// - Parameter node: where the values were read, for the places of messages.
  func check(against node: ConfigurationNode) throws {
    let check = FittingCheck(root: node)
    try check.channels(model)
    try check.strides(model)
    try check.groups(model)
    try check.classes(data, numClasses: model.roiHead.bboxHead.numClasses)
    if evaluation != nil, data.val == nil {
      throw check.error("evaluation", "needs 'data.val', which is absent")
    }
  }
}

private struct FittingCheck {
  let root: ConfigurationNode

  /// An error at the value with this dotted path, or at the nearest part of it that is written.
  func error(_ path: String, _ message: String) -> ConfigurationError {
    var keys = path.split(separator: ".").map(String.init)
    while !keys.isEmpty {
      if let value = root.value(at: keys) { return ConfigurationError(value.place, "'\(path)' \(message)") }
      keys.removeLast()
    }
    return ConfigurationError(root.place, "'\(path)' \(message)")
  }

  private func expect<Value: Equatable>(_ path: String, _ found: Value, _ expected: Value, _ reason: String) throws {
    if found != expected { throw error(path, "is \(found), expected \(expected): \(reason)") }
  }

  func channels(_ model: TwoStageConfiguration) throws {
    let (neck, extractor, head) = (model.neck, model.roiHead.extractor, model.roiHead.bboxHead)
    try expect(
      "model.neck.in_channels", neck.inChannels, model.backbone.outChannels,
      "the channels of the backbone's stages \(model.backbone.outIndices) with depth \(model.backbone.depth) "
        + "and base_channels \(model.backbone.baseChannels)")
    let source = "the channels of 'model.neck.out_channels'"
    try expect("model.rpn_head.in_channels", model.rpnHead.inChannels, neck.outChannels, source)
    try expect("model.roi_head.bbox_roi_extractor.out_channels", extractor.outChannels, neck.outChannels, source)
    try expect(
      "model.roi_head.bbox_head.in_channels", head.inChannels, extractor.outChannels,
      "the channels of 'bbox_roi_extractor.out_channels'")
    try expect(
      "model.roi_head.bbox_head.roi_feat_size", [head.roiFeatSize, head.roiFeatSize],
      [extractor.outputHeight, extractor.outputWidth], "the 'output_size' of the roi_layer")
  }

  /// Level i of the neck is `out_indices[start_level + i]` of the backbone, of stride 4 · 2^index; each extra level
  /// halves the map again.
  func strides(_ model: TwoStageConfiguration) throws {
    let neck = model.neck
    let stages = model.backbone.outIndices[neck.startLevel...]
    let ownStrides = stages.map { 4 << $0 }.prefix(neck.endLevel == -1 ? stages.count : neck.endLevel - neck.startLevel)
    var strides = Array(ownStrides)
    while strides.count < neck.numOuts { strides.append(strides[strides.count - 1] * 2) }
    let anchors = model.rpnHead.anchorGenerator
    try expect(
      "model.rpn_head.anchor_generator.strides", anchors.strides.map { [$0.width, $0.height] },
      strides.map { [$0, $0] }, "the strides of the neck's \(neck.numOuts) levels, as (width, height)")
    let extractor = model.roiHead.extractor
    try expect(
      "model.roi_head.bbox_roi_extractor.featmap_strides", extractor.featmapStrides,
      Array(strides.prefix(max(1, extractor.featmapStrides.count))), "the strides of the neck's first levels")
  }

  func groups(_ model: TwoStageConfiguration) throws {
    try groups(model.backbone.norm, channels: model.backbone.baseChannels, "model.backbone", "base_channels")
    if let norm = model.neck.norm {
      try groups(norm, channels: model.neck.outChannels, "model.neck", "out_channels")
    }
  }

  private func groups(_ norm: NormConfiguration, channels: Int, _ owner: String, _ key: String) throws {
    guard case .group(let groups, _) = norm, groups < 1 || channels % groups != 0 else { return }
    throw error(
      "\(owner).norm_cfg.num_groups", "is \(groups), expected a divisor of '\(owner).\(key)', which is \(channels)")
  }

  func classes(_ data: DataSection, numClasses: Int) throws {
    let parts =
      [("train", data.train)]
      + [("val", data.val), ("test", data.test)].compactMap { name, part in
        part.map { (name, $0) }
      }
    for (name, part) in parts {
      guard let classes = part.classes else { continue }
      guard classes.count == numClasses else {
        throw error(
          "model.roi_head.bbox_head.num_classes",
          "is \(numClasses), expected \(classes.count), as 'data.\(name).classes' has \(classes.count) names")
      }
      guard data.train.classes ?? classes == classes else {
        throw error(
          "data.\(name).classes", "differs from 'data.train.classes'; expected the same names in the same order")
      }
    }
  }
}
