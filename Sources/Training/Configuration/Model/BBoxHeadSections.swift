import Detection
import Layers

extension BBoxHeadConfiguration {
  init(_ section: ConfigurationSection) throws {
    self.init()
    try readLayers(section)
    inChannels = try section.required("in_channels")
    if let size = try section.pair("roi_feat_size", as: Int.self) {
      try section.check(size.0 == size.1, "roi_feat_size", expected: "a square")
      roiFeatSize = size.0
    }
    try section.read("num_classes", into: &numClasses)
    try section.check(numClasses > 0, "num_classes", expected: "a number from 1 on")
    bboxCoder =
      try section.section("bbox_coder", BoxCoderConfiguration.init)
      ?? .deltaXYWH(DeltaXYWHBBoxCoderConfiguration(targetStds: [0.1, 0.1, 0.2, 0.2]))
    try section.read("reg_class_agnostic", into: &regClassAgnostic)
    lossCls = try section.section("loss_cls") { try ClassificationLoss($0, "CrossEntropyLoss", "FocalLoss") } ?? lossCls
    try section.read("reg_decoded_bbox", into: &regDecodedBBox)
    lossBBox = try section.boxRegressionLoss(ofDecodedBoxes: regDecodedBBox) ?? BoxRegressionLoss(.smoothL1(beta: 1))
  }

  private mutating func readLayers(_ section: ConfigurationSection) throws {
    let type = try section.type(
      "BBoxHead", "ConvFCBBoxHead", "Shared2FCBBoxHead", "Shared4Conv1FCBBoxHead", "DoubleConvFCBBoxHead")
    guard type != "DoubleConvFCBBoxHead" else {
      layers = .doubleConvFC(try DoubleConvFCConfiguration(section))
      return
    }
    try section.read("with_cls", into: &withCls)
    try section.read("with_reg", into: &withReg)
    try section.check(withCls || withReg, "with_reg", expected: "true, or 'with_cls: true'")
    layers = .convFC(try ConvFCConfiguration(section, type: type, withCls: withCls, withReg: withReg))
  }
}

extension ConvFCConfiguration {
  fileprivate init(_ section: ConfigurationSection, type: String, withCls: Bool, withReg: Bool) throws {
    switch type {
    case "Shared2FCBBoxHead": self = .shared2FC
    case "Shared4Conv1FCBBoxHead": self = .shared4Conv1FC
    default: self.init()
    }
    try section.read("with_avg_pool", into: &withAvgPool)
    guard type != "BBoxHead" else { return }
    if type == "ConvFCBBoxHead" { try readCounts(section, withCls: withCls, withReg: withReg) }
    try section.read("conv_out_channels", into: &convOutChannels)
    try section.check(convOutChannels > 0, "conv_out_channels", expected: "a number from 1 on")
    try section.read("fc_out_channels", into: &fcOutChannels)
    try section.check(fcOutChannels > 0, "fc_out_channels", expected: "a number from 1 on")
    norm = try section.section("norm_cfg", NormConfiguration.init)
    convolution = try section.section("conv_cfg", ConvolutionConfiguration.init) ?? convolution
    if !hasConvolutions {
      section.ignore("conv_out_channels", "norm_cfg", "conv_cfg", because: "this head has no convolution")
    }
    if [shared, cls, reg].allSatisfy({ $0.fcs == 0 }) {
      section.ignore("fc_out_channels", because: "this head has no fully connected layer before the last one")
    }
  }

  private mutating func readCounts(_ section: ConfigurationSection, withCls: Bool, withReg: Bool) throws {
    func read(_ name: String) throws -> Branch {
      var branch = Branch()
      for (key, path) in [("num_\(name)_convs", \Branch.convs), ("num_\(name)_fcs", \Branch.fcs)] {
        try section.read(key, into: &branch[keyPath: path])
        try section.check((0...64).contains(branch[keyPath: path]), key, expected: "a number from 0 to 64")
      }
      return branch
    }
    (shared, cls, reg) = (try read("shared"), try read("cls"), try read("reg"))
    try section.check(
      [shared, cls, reg].contains { $0 != Branch() }, "num_shared_fcs", expected: "at least one layer of any kind")
    try section.check(
      shared.fcs == 0 || (cls.convs == 0 && reg.convs == 0), "num_shared_fcs",
      expected: "0, as convolutions of a branch can't follow")
    try section.check(
      withCls || cls == Branch(), "with_cls", expected: "true beside 'num_cls_convs' or 'num_cls_fcs'")
    try section.check(
      withReg || reg == Branch(), "with_reg", expected: "true beside 'num_reg_convs' or 'num_reg_fcs'")
  }
}

extension DoubleConvFCConfiguration {
  fileprivate init(_ section: ConfigurationSection) throws {
    self.init()
    numConvs = try section.required("num_convs")
    numFcs = try section.required("num_fcs")
    for (key, count) in [("num_convs", numConvs), ("num_fcs", numFcs)] {
      try section.check((1...64).contains(count), key, expected: "a number from 1 to 64")
    }
    try section.read("conv_out_channels", into: &convOutChannels)
    try section.check(
      convOutChannels > 0 && convOutChannels % 4 == 0, "conv_out_channels", expected: "a multiple of 4")
    try section.read("fc_out_channels", into: &fcOutChannels)
    try section.check(fcOutChannels > 0, "fc_out_channels", expected: "a number from 1 on")
    norm = try section.section("norm_cfg", NormConfiguration.init) ?? norm
    convolution = try section.section("conv_cfg", ConvolutionConfiguration.init) ?? convolution
    try section.only("with_avg_pool", true)
    section.ignore("with_cls", unless: true, because: "DoubleConvFCBBoxHead has scores in any case")
    section.ignore("with_reg", unless: true, because: "DoubleConvFCBBoxHead has deltas in any case")
  }
}
