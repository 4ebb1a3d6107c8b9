import Detection
import Layers

extension BBoxHeadConfiguration {
  init(_ section: ConfigurationSection) throws {
    self.init()
    inChannels = try section.required("in_channels")
    layers = try Self.layers(section)
    if let size = try section.pair("roi_feat_size", as: Int.self) {
      try section.check(size.0 == size.1, "roi_feat_size", expected: "a square")
      roiFeatSize = size.0
    }
    try section.read("num_classes", into: &numClasses)
    try section.check(numClasses > 0, "num_classes", expected: "a number from 1 on")
    bboxCoder =
      try section.section("bbox_coder") { try BoxCoderConfiguration($0, stds: [0.1, 0.1, 0.2, 0.2]) }
      ?? .deltaXYWH(DeltaXYWHBBoxCoderConfiguration(targetStds: [0.1, 0.1, 0.2, 0.2]))
    try section.read("reg_class_agnostic", into: &regClassAgnostic)
    lossCls = try section.section("loss_cls") { try ClassificationLoss($0, "CrossEntropyLoss") } ?? lossCls
    try section.check(
      lossCls.kind == .softmax, "loss_cls", expected: "use_sigmoid: false, as scores are a softmax's")
    try section.read("reg_decoded_bbox", into: &regDecodedBBox)
    lossBBox = try section.boxRegressionLoss(ofDecodedBoxes: regDecodedBBox) ?? BoxRegressionLoss(.smoothL1(beta: 1))
    try section.only("with_cls", true)
    try section.only("with_reg", true)
  }

  private static func layers(_ section: ConfigurationSection) throws -> Layers {
    if try section.type("Shared2FCBBoxHead", "BBoxHead") == "BBoxHead" {
      var plain = PlainBBoxHeadConfiguration()
      try section.read("with_avg_pool", into: &plain.withAvgPool)
      return .plain(plain)
    }
    var layers = SharedFCsConfiguration()
    try section.read("fc_out_channels", into: &layers.fcOutChannels)
    try section.check(layers.fcOutChannels > 0, "fc_out_channels", expected: "a number from 1 on")
    try section.unsupported("with_avg_pool", "conv_cfg", "norm_cfg")
    section.ignore("conv_out_channels", because: "Shared2FCBBoxHead has no convolution")
    return .sharedFCs(layers)
  }
}
