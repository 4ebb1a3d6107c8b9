import Detection
import Kernels
import Layers

extension BFPConfiguration.Refinement: ConfigurationChoice {}

extension NeckConfiguration {
  /// `neck`: one, or a list of them; nil where it is absent.
  static func read(in model: ConfigurationSection) throws -> NeckConfiguration? {
    guard model.node("neck")?.elements != nil else {
      return try model.section("neck") { try NeckConfiguration($0) }
    }
    let parts = try model.sections("neck") { try NeckConfiguration($0) } ?? []
    try model.check(!parts.isEmpty, "neck", expected: "a mapping, or a list of at least one")
    return .sequence(parts)
  }

  private init(_ section: ConfigurationSection) throws {
    let type = try section.type("FPN", "PAFPN", "BFP")
    guard type != "BFP" else {
      self = .bfp(try BFPConfiguration(section))
      return
    }
    self = .fpn(try FPNConfiguration(section, hasBottomUpPath: type == "PAFPN"))
  }
}

extension BFPConfiguration {
  fileprivate init(_ section: ConfigurationSection) throws {
    self.init()
    inChannels = try section.required("in_channels")
    numLevels = try section.required("num_levels")
    try section.read("refine_level", into: &refineLevel)
    try section.check(
      (0..<max(1, numLevels)).contains(refineLevel), "refine_level", expected: "a level from 0 to \(numLevels - 1)")
    try section.read("refine_type", into: &refineType)
    norm = try section.section("norm_cfg", NormConfiguration.init)
    convolution = try section.section("conv_cfg", ConvolutionConfiguration.init) ?? convolution
    if refineType == .none { section.ignore("norm_cfg", "conv_cfg", because: "there is no 'refine_type'") }
  }
}

extension FPNConfiguration {
  fileprivate init(_ section: ConfigurationSection, hasBottomUpPath: Bool) throws {
    self.init()
    self.hasBottomUpPath = hasBottomUpPath
    inChannels = try section.required("in_channels")
    outChannels = try section.required("out_channels")
    try section.check(outChannels > 0, "out_channels", expected: "a number from 1 on")
    numOuts = try section.required("num_outs")
    try section.read("start_level", into: &startLevel)
    try section.read("end_level", into: &endLevel)
    let last = endLevel == -1 ? inChannels.count : endLevel
    try section.check(
      (0..<inChannels.count).contains(startLevel), "start_level", expected: "0 to \(inChannels.count - 1)")
    try section.check(
      last > startLevel && last <= inChannels.count, "end_level", expected: "-1 or a level after start_level")
    let isEnough = endLevel == -1 ? numOuts >= last - startLevel : numOuts == last - startLevel
    try section.check(isEnough, "num_outs", expected: "\(last - startLevel)\(endLevel == -1 ? " or more" : "")")
    addExtraConvs = try Self.extraConvolutions(section)
    try section.read("relu_before_extra_convs", into: &reluBeforeExtraConvs)
    if addExtraConvs == .none {
      section.ignore("relu_before_extra_convs", unless: false, because: "there are no extra convolutions")
    }
    norm = try section.section("norm_cfg", NormConfiguration.init)
    try section.read("no_norm_on_lateral", into: &noNormOnLateral)
    if norm == nil { section.ignore("no_norm_on_lateral", unless: false, because: "there is no 'norm_cfg'") }
    relu = try section.activation("act_cfg", default: false)
    convolution = try section.section("conv_cfg", ConvolutionConfiguration.init) ?? convolution
    // mmdetection's PAFPN knows no such key.
    if !hasBottomUpPath { upsampling = try section.section("upsample_cfg", MapResizing.init) ?? upsampling }
  }

  /// `add_extra_convs: true` is `on_input`, or `on_output` beside `extra_convs_on_inputs: false`.
  private static func extraConvolutions(_ section: ConfigurationSection) throws -> ExtraConvolutions {
    let isOnInput = try section.optional("extra_convs_on_inputs") ?? true
    let node = section.node("add_extra_convs")
    let adds = node.flatMap(Bool.init(configuration:))
    if adds != true {
      section.ignore("extra_convs_on_inputs", unless: true, because: "only 'add_extra_convs: true' asks for it")
    }
    guard let node else { return .none }
    if let adds { return adds ? (isOnInput ? .onInput : .onOutput) : .none }
    guard let text = String(configuration: node), let place = ExtraConvolutions(rawValue: text), place != .none else {
      throw section.mismatch("add_extra_convs", expected: "true, false, on_input, on_lateral or on_output")
    }
    return place
  }
}

extension MapResizing {
  /// `upsample_cfg`. A `scale_factor` would have to be what the sizes of the maps say, or mmdetection stops at their sum.
  fileprivate init(_ section: ConfigurationSection) throws {
    let mode: String = try section.optional("mode") ?? "nearest"
    try section.check(["nearest", "bilinear"].contains(mode), "mode", expected: "nearest or bilinear")
    let alignCorners: Bool? = try section.optional("align_corners")
    try section.check(
      mode == "bilinear" || alignCorners == nil, "align_corners", expected: "null, as 'mode' is nearest")
    self = mode == "bilinear" ? .bilinear(alignCorners: alignCorners ?? false) : .nearest
    try section.only("scale_factor", 2)
    if section.has("scale_factor") {
      section.notice("scale_factor", "is taken as the ratio of the maps' sizes, which it is where these are even")
    }
  }
}

extension ConfigurationSection {
  /// `act_cfg` of mmcv's `ConvModule`: null, or ReLU.
  /// - Parameter default: whether there is a ReLU where the key is absent.
  func activation(_ key: String, default isThere: Bool) throws -> Bool {
    guard has(key) else { return isThere }
    return try section(key) { section in
      _ = try section.type("ReLU")
      section.ignore("inplace", because: "it says where results are kept, not what they are")
      return true
    } ?? false
  }
}
