/// torchvision's names for the parts of its Faster R-CNN with a pyramid, and where mmdetection has them.
enum TorchvisionNames {
  static func areIn(_ arrays: [Checkpoint.Array]) -> Bool {
    arrays.contains { $0.name.hasPrefix("roi_heads.box_predictor.") }
  }

  /// `fasterrcnn_resnet50_fpn_v2` and its kin: a box head of convolutions.
  static func areOfSecondVersion(_ arrays: [Checkpoint.Array]) -> Bool {
    arrays.contains { $0.name.hasPrefix("rpn.head.conv.1.") || $0.name.hasPrefix("roi_heads.box_head.0.") }
  }

  /// What no renaming can bring along.
  static let notices = [
    """
    these are torchvision's weights; with its options they detect as there: \
    model.roi_head.bbox_roi_extractor.roi_layer.aligned=false and .sampling_ratio=2, \
    model.roi_head.bbox_head.bbox_coder.target_stds=[0.1,0.1,0.2,0.2], and pictures normalised in RGB order
    """,
    "torchvision rounds its anchors to whole pixels, so that its boxes differ by up to a pixel",
  ]

  static let noticesOfSecondVersion =
    notices + [
      """
      these are weights of torchvision's second version: they need a neck with norm_cfg BN, an RPN head with num_convs 2, \
      and a box head of 4 convolutions with BN and one linear layer (Shared4Conv1FCBBoxHead); a model without these parts \
      can take the backbone alone
      """
    ]

  private static let prefixes = [
    ("backbone.body.", "backbone."), ("rpn.head.cls_logits.", "rpn_head.rpn_cls."),
    ("rpn.head.bbox_pred.", "rpn_head.rpn_reg."), ("rpn.head.conv.0.0.", "rpn_head.rpn_conv."),
    ("roi_heads.box_head.fc6.", "roi_head.bbox_head.shared_fcs.0."),
    ("roi_heads.box_head.fc7.", "roi_head.bbox_head.shared_fcs.1."),
    ("roi_heads.box_predictor.cls_score.", "roi_head.bbox_head.fc_cls."),
    ("roi_heads.box_predictor.bbox_pred.", "roi_head.bbox_head.fc_reg."),
  ]
  private static let lists = [("inner_blocks", "lateral_convs"), ("layer_blocks", "fpn_convs")]

  /// mmdetection's name for torchvision's.
  /// - Throws: `PickleReader.Failure` for a part that it has not.
  static func translated(_ name: String, isSecond: Bool) throws -> String {
    if isSecond, let translated = ofConvolutions(name) { return translated }
    for (theirs, ours) in prefixes where name.hasPrefix(theirs) { return ours + name.dropFirst(theirs.count) }
    // Before version 0.13, one convolution and not a list of them.
    if name.hasPrefix("rpn.head.conv.") { return "rpn_head.rpn_conv." + name.dropFirst("rpn.head.conv.".count) }
    guard let translated = ofNeck(name) else {
      throw PickleReader.Failure("'\(name)' is not a part of torchvision's Faster R-CNN with a pyramid")
    }
    return translated
  }

  /// `backbone.fpn.inner_blocks.2.weight`, in newer versions `backbone.fpn.inner_blocks.2.0.weight`; with batch norm,
  /// which is `.1.`, in the second version.
  private static func ofNeck(_ name: String) -> String? {
    let parts = name.split(separator: ".")
    guard name.hasPrefix("backbone.fpn."), let last = parts.last, parts.count == 5 || parts.count == 6,
      let list = lists.first(where: { $0.0 == parts[2] })?.1, let layer = layer(parts.count == 6 ? parts[4] : "0")
    else { return nil }
    return "neck.\(list).\(parts[3]).\(layer).\(last)"
  }

  /// The RPN's two convolutions, and the box head's four with their norms and the linear layer behind them.
  private static func ofConvolutions(_ name: String) -> String? {
    let parts = name.split(separator: ".")
    if name.hasPrefix("rpn.head.conv."), parts.count == 6, let layer = layer(parts[4]) {
      return "rpn_head.rpn_conv.\(parts[3]).\(layer).\(parts[5])"
    }
    guard name.hasPrefix("roi_heads.box_head."), let last = parts.last else { return nil }
    if parts.count == 5, let layer = layer(parts[3]) {
      return "roi_head.bbox_head.shared_convs.\(parts[2]).\(layer).\(last)"
    }
    return parts.count == 4 && Int(parts[2]) != nil ? "roi_head.bbox_head.shared_fcs.0.\(last)" : nil
  }

  /// Of mmcv's `ConvModule`, where torchvision counts.
  private static func layer(_ number: Substring) -> String? { ["0": "conv", "1": "bn"][number] }
}

extension TorchvisionNames {
  /// torchvision's name (of version 0.13 and newer) for mmdetection's.
  /// - Throws: `PickleReader.Failure` for a part that torchvision's Faster R-CNN has not.
  static func untranslated(_ name: String) throws -> String {
    let parts = name.split(separator: ".")
    if name.hasPrefix("neck."), parts.count == 5, parts[3] == "conv",
      let list = lists.first(where: { $0.1 == parts[1] })?.0
    {
      return "backbone.fpn.\(list).\(parts[2]).0.\(parts[4])"
    }
    let isNormOfOthers = parts.contains { $0.hasPrefix("gn") } || parts.last == "scale"
    for (theirs, ours) in prefixes where name.hasPrefix(ours) && !isNormOfOthers {
      return theirs + name.dropFirst(ours.count)
    }
    throw PickleReader.Failure(
      "'\(name)' has no place in torchvision's Faster R-CNN; without --names it is written in mmdetection's names")
  }
}
