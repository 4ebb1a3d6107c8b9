/// torchvision's names for the parts of its Faster R-CNN, and where mmdetection has them.
enum TorchvisionNames {
  static func areIn(_ tensors: [Checkpoint.Array]) -> Bool {
    tensors.contains { $0.name.hasPrefix("roi_heads.box_predictor.") }
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

  private static let prefixes = [
    ("backbone.body.", "backbone."), ("rpn.head.cls_logits.", "rpn_head.rpn_cls."),
    ("rpn.head.bbox_pred.", "rpn_head.rpn_reg."),
    // In newer versions a list of convolutions.
    ("rpn.head.conv.0.0.", "rpn_head.rpn_conv."), ("rpn.head.conv.", "rpn_head.rpn_conv."),
    ("roi_heads.box_head.fc6.", "roi_head.bbox_head.shared_fcs.0."),
    ("roi_heads.box_head.fc7.", "roi_head.bbox_head.shared_fcs.1."),
    ("roi_heads.box_predictor.cls_score.", "roi_head.bbox_head.fc_cls."),
    ("roi_heads.box_predictor.bbox_pred.", "roi_head.bbox_head.fc_reg."),
  ]

  static func translated(_ tensors: [Checkpoint.Array]) throws -> [Checkpoint.Array] {
    try tensors.map { tensor in
      guard let name = translated(tensor.name) else {
        throw PickleReader.Failure("'\(tensor.name)' is not a part of torchvision's Faster R-CNN with a pyramid")
      }
      return withBackgroundLast(Checkpoint.Array(name: name, shape: tensor.shape, values: tensor.values))
    }
  }

  private static func translated(_ name: String) -> String? {
    for (theirs, ours) in prefixes where name.hasPrefix(theirs) { return ours + name.dropFirst(theirs.count) }
    let parts = name.split(separator: ".")
    // backbone.fpn.inner_blocks.2.weight, in newer versions backbone.fpn.inner_blocks.2.0.weight
    guard name.hasPrefix("backbone.fpn."), parts.count == 5 || parts.count == 6 && parts[4] == "0",
      let list = ["inner_blocks": "lateral_convs", "layer_blocks": "fpn_convs"][String(parts[2])]
    else { return nil }
    return "neck.\(list).\(parts[3]).conv.\(parts[parts.count - 1])"
  }

  /// There the background is class 0, here it is the last one, and has no boxes.
  private static func withBackgroundLast(_ tensor: Checkpoint.Array) -> Checkpoint.Array {
    let (isOfClasses, isOfBoxes) = (tensor.name.contains(".fc_cls."), tensor.name.contains(".fc_reg."))
    guard isOfClasses || isOfBoxes, let rows = tensor.shape.first, rows >= 4 || isOfClasses, rows > 0 else {
      return tensor
    }
    let width = tensor.values.count / rows * (isOfBoxes ? 4 : 1)
    var result = tensor
    result.values = Array(tensor.values.dropFirst(width)) + (isOfClasses ? tensor.values.prefix(width) : [])
    if isOfBoxes { result.shape[0] -= 4 }
    return result
  }
}
