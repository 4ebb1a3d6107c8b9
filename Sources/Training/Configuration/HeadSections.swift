import Detection
import Foundation
import Layers

extension RPNHeadConfiguration {
  /// `rpn_head` itself.
  init(_ section: ConfigurationSection) throws {
    self.init()
    _ = try section.type("RPNHead")
    inChannels = try section.required("in_channels")
    try section.read("feat_channels", into: &featChannels)
    try section.check(featChannels > 0, "feat_channels", expected: "a number from 1 on")
    anchorGenerator = try section.requiredSection("anchor_generator", AnchorGeneratorConfiguration.init)
    bboxCoder = try section.section("bbox_coder") { try BoxCoderConfiguration($0, stds: [1, 1, 1, 1]) } ?? bboxCoder
    lossCls =
      try section.section("loss_cls") { try ClassificationLoss($0, "CrossEntropyLoss", "FocalLoss") }
      ?? ClassificationLoss(.sigmoid)
    try section.read("reg_decoded_bbox", into: &regDecodedBBox)
    lossBBox =
      try section.boxRegressionLoss(ofDecodedBoxes: regDecodedBBox) ?? BoxRegressionLoss(.smoothL1(beta: 1 / 9))
    try section.only("num_convs", 1)
  }
}

extension AnchorGeneratorConfiguration {
  init(_ section: ConfigurationSection) throws {
    self.init()
    _ = try section.type("AnchorGenerator")
    strides = try Self.strides(section)
    ratios = try section.required("ratios")
    scales = try Self.scales(section)
    baseSizes = try section.optional("base_sizes")
    try section.check(
      baseSizes?.count ?? strides.count == strides.count, "base_sizes", expected: "one size for each stride")
    try section.read("scale_major", into: &scaleMajor)
    try section.read("center_offset", into: &centerOffset)
    try section.check(centerOffset >= 0 && centerOffset <= 1, "center_offset", expected: "a number from 0 to 1")
    centers = try section.optional("centers", as: [[Float]].self)?.map { center in
      try section.check(center.count == 2, "centers", expected: "a pair (x, y) for each stride")
      return (center[0], center[1])
    }
    try section.check(
      centers?.count ?? strides.count == strides.count, "centers", expected: "a pair (x, y) for each stride")
    try section.check(centers == nil || centerOffset == 0, "center_offset", expected: "0, as 'centers' are given")
  }

  /// Each a number, or a pair (width, height).
  private static func strides(_ section: ConfigurationSection) throws -> [(width: Int, height: Int)] {
    guard let node = section.node("strides") else { throw section.missing("strides", expected: "a list") }
    let pairs = [Int](configuration: node)?.map { [$0, $0] } ?? [[Int]](configuration: node)
    guard let pairs, !pairs.isEmpty, pairs.allSatisfy({ $0.count == 2 && $0[0] > 0 && $0[1] > 0 }) else {
      throw section.mismatch("strides", expected: "a list of numbers from 1 on, or of pairs of them")
    }
    return pairs.map { ($0[0], $0[1]) }
  }

  /// `scales`, or `octave_base_scale` · 2^(i / `scales_per_octave`) for i below `scales_per_octave`.
  private static func scales(_ section: ConfigurationSection) throws -> [Float] {
    let scales: [Float]? = try section.optional("scales")
    let base: Double? = try section.optional("octave_base_scale")
    let count: Int? = try section.optional("scales_per_octave")
    switch (scales, base, count) {
    case (let scales?, nil, nil): return scales
    case (nil, let base?, let count?): return (0..<count).map { Float(base * pow(2, Double($0) / Double(count))) }
    default:
      throw section.missing("scales", expected: "or 'octave_base_scale' with 'scales_per_octave'; one of the two")
    }
  }
}

extension BoxCoderConfiguration {
  /// - Parameter stds: the default of `target_stds`.
  init(_ section: ConfigurationSection, stds: [Float]) throws {
    _ = try section.type("DeltaXYWHBBoxCoder")
    var coder = DeltaXYWHBBoxCoderConfiguration(targetStds: stds)
    try section.read("target_means", into: &coder.targetMeans)
    try section.check(coder.targetMeans.count == 4, "target_means", expected: "4 numbers")
    try section.read("target_stds", into: &coder.targetStds)
    try section.check(
      coder.targetStds.count == 4 && coder.targetStds.allSatisfy { $0 > 0 }, "target_stds",
      expected: "4 numbers above 0")
    try section.read("clip_border", into: &coder.clipBorder)
    self = .deltaXYWH(coder)
  }
}

extension RoIHeadConfiguration {
  /// `roi_head` itself.
  init(_ section: ConfigurationSection) throws {
    self.init()
    _ = try section.type("StandardRoIHead")
    var stage = RoIStageConfiguration()
    stage.extractor = try section.requiredSection("bbox_roi_extractor", RoIExtractorConfiguration.init)
    stage.bboxHead = try section.requiredSection("bbox_head", BBoxHeadConfiguration.init)
    stages = [stage]
    try section.unsupported("mask_roi_extractor", "mask_head", "shared_head")
  }
}

extension RoIExtractorConfiguration {
  init(_ section: ConfigurationSection) throws {
    _ = try section.type("SingleRoIExtractor")
    self = .single(try SingleRoIExtractorConfiguration(section))
  }
}

extension SingleRoIExtractorConfiguration {
  fileprivate init(_ section: ConfigurationSection) throws {
    self.init()
    try section.requiredSection("roi_layer") { try readLayer($0) }
    outChannels = try section.required("out_channels")
    featmapStrides = try section.required("featmap_strides")
    try section.read("finest_scale", into: &finestScale)
    try section.check(finestScale > 0, "finest_scale", expected: "a number above 0")
  }

  private mutating func readLayer(_ section: ConfigurationSection) throws {
    layer = try section.type("RoIAlign", "RoIPool") == "RoIPool" ? .pool : .align
    guard let size = try section.pair("output_size", as: Int.self) else {
      throw section.missing("output_size", expected: "a number or a pair")
    }
    (outputHeight, outputWidth) = size
    try section.check(outputHeight > 0 && outputWidth > 0, "output_size", expected: "a number from 1 on")
    guard layer == .align else { return }
    try section.read("sampling_ratio", into: &samplingRatio)
    try section.read("aligned", into: &aligned)
    try section.only("pool_mode", "avg")
    try section.unsupported("use_torchvision")
  }
}

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
