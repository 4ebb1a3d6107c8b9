import Detection
import Layers

extension GenericRoIExtractorConfiguration.Aggregation: ConfigurationChoice {}

extension RoIExtractorConfiguration {
  init(_ section: ConfigurationSection) throws {
    if try section.type("SingleRoIExtractor", "GenericRoIExtractor") == "GenericRoIExtractor" {
      self = .generic(try GenericRoIExtractorConfiguration(section))
    } else {
      var cut = try SingleRoIExtractorConfiguration(section)
      try section.read("finest_scale", into: &cut.finestScale)
      try section.check(cut.finestScale > 0, "finest_scale", expected: "a number above 0")
      self = .single(cut)
    }
  }
}

extension GenericRoIExtractorConfiguration {
  fileprivate init(_ section: ConfigurationSection) throws {
    self.init()
    cut = try SingleRoIExtractorConfiguration(section)
    try section.read("aggregation", into: &aggregation)
    pre = try section.section("pre_cfg", Module.init)
    post = try section.section("post_cfg", Module.init)
    if cut.featmapStrides.count == 1 {
      section.ignore(
        "aggregation", "pre_cfg", "post_cfg", because: "a single level is taken as it is, as in mmdetection")
      (pre, post) = (nil, nil)
    }
  }
}

extension GenericRoIExtractorConfiguration.Module {
  fileprivate init(_ section: ConfigurationSection) throws {
    _ = try section.type("ConvModule")
    self.init(inChannels: try section.required("in_channels"), outChannels: try section.required("out_channels"))
    for (key, channels) in [("in_channels", inChannels), ("out_channels", outChannels)] {
      try section.check((1...(1 << 14)).contains(channels), key, expected: "a number from 1 to 16384")
    }
    kernel = try section.required("kernel_size")
    try section.check(kernel % 2 == 1 && (1...31).contains(kernel), "kernel_size", expected: "an odd number up to 31")
    let padding: Int = try section.optional("padding") ?? 0
    try section.check(padding == kernel / 2, "padding", expected: "\(kernel / 2), so that the map keeps its size")
    norm = try section.section("norm_cfg", NormConfiguration.init)
    relu = try section.activation("act_cfg", default: true)
    try section.only("stride", 1)
    try section.only("dilation", 1)
    try section.only("groups", 1)
    section.ignore("inplace", because: "it says where results are kept, not what they are")
    convolution = try section.section("conv_cfg", ConvolutionConfiguration.init) ?? convolution
    try section.unsupported("with_spectral_norm")
  }
}

extension SingleRoIExtractorConfiguration {
  /// What both types have.
  fileprivate init(_ section: ConfigurationSection) throws {
    self.init()
    try section.requiredSection("roi_layer") { try readLayer($0) }
    outChannels = try section.required("out_channels")
    featmapStrides = try section.required("featmap_strides")
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
