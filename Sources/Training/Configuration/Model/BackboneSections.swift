import Detection
import Layers

extension ResNetConfiguration.Style: ConfigurationChoice {}

extension BackboneConfiguration {
  init(_ section: ConfigurationSection) throws {
    let type = try section.type("ResNet", "ResNetV1d", "ResNeXt", "RegNet")
    self = .resNet(try type == "RegNet" ? ResNetConfiguration(regNet: section) : ResNetConfiguration(section, type))
  }
}

extension ResNetConfiguration {
  /// ResNet, ResNetV1d or ResNeXt.
  fileprivate init(_ section: ConfigurationSection, _ type: String) throws {
    self.init()
    depth = try section.required("depth")
    let depths = type == "ResNeXt" ? Self.bottleneckDepths : Self.depths
    try section.check(
      depths.contains(depth), "depth", expected: "one of \(depths.map(String.init).joined(separator: ", "))")
    try section.read("base_channels", into: &baseChannels)
    try section.check(baseChannels > 0, "base_channels", expected: "a number from 1 on")
    try section.read("num_stages", into: &numStages)
    try section.check((1...4).contains(numStages), "num_stages", expected: "a number from 1 to 4")
    if type == "ResNeXt" { variant = try Self.groups(section, baseChannels: baseChannels) }
    if type == "ResNetV1d" {
      (deepStem, avgDown) = (true, true)
    } else {
      try section.read("deep_stem", into: &deepStem)
      try section.read("avg_down", into: &avgDown)
    }
    try readStages(section)
    try readCommon(section)
    if depth < 50 {
      section.ignore("style", unless: "pytorch", because: "blocks below depth 50 have one place for the stride")
    }
  }

  private static func groups(_ section: ConfigurationSection, baseChannels: Int) throws -> Variant {
    let (groups, baseWidth) = (try section.optional("groups") ?? 1, try section.optional("base_width") ?? 4)
    try section.check(groups > 0, "groups", expected: "a number from 1 on")
    try section.check(baseWidth > 0, "base_width", expected: "a number from 1 on")
    if groups == 1 { section.ignore("base_width", unless: 4, because: "there is one group") }
    return .resNeXt(groups: groups, baseWidth: baseWidth)
  }

  fileprivate init(regNet section: ConfigurationSection) throws {
    let architecture = try RegNetArchitecture(backbone: section)
    self.init(architecture)
    let widths = architecture.stages.map { "\($0.width)" }.joined(separator: ", ")
    try section.check(
      (1...4).contains(numStages), "arch", expected: "one of 1 to 4 stages, and not of widths \(widths)")
    try section.read("avg_down", into: &avgDown)
    try section.unsupported("deep_stem")
    section.ignore("base_channels", unless: 32, because: "'arch' says the widths")
    try readStages(section)
    try readCommon(section)
  }

  /// What there is a number of for each stage.
  private mutating func readStages(_ section: ConfigurationSection) throws {
    (strides, dilations) = (Array(strides.prefix(numStages)), Array(dilations.prefix(numStages)))
    try section.read("strides", into: &strides)
    try section.read("dilations", into: &dilations)
    for (key, numbers) in [("strides", strides), ("dilations", dilations)] {
      let fits = numbers.count == numStages && numbers.allSatisfy { $0 > 0 }
      try section.check(fits, key, expected: "a number from 1 on for each of \(numStages) stages")
    }
    outIndices = Array(outIndices.prefix(numStages))
    try section.read("out_indices", into: &outIndices)
    let areStages = !outIndices.isEmpty && outIndices.allSatisfy { (0..<numStages).contains($0) }
    try section.check(areStages, "out_indices", expected: "stages from 0 to \(numStages - 1)")
    try section.read("frozen_stages", into: &frozenStages)
    try section.check(
      (-1...numStages).contains(frozenStages), "frozen_stages", expected: "a number from -1 to \(numStages)")
  }

  private mutating func readCommon(_ section: ConfigurationSection) throws {
    try section.read("in_channels", into: &inChannels)
    try section.check(inChannels == 3, "in_channels", expected: "3, the colours of a picture")
    stemChannels = try section.optional("stem_channels") ?? stemChannels
    let channels = stemChannels ?? baseChannels
    try section.check(
      channels > 0 && (!deepStem || channels % 2 == 0), "stem_channels",
      expected: deepStem ? "an even number from 2 on, as the stem is deep" : "a number from 1 on")
    try section.read("style", into: &style)
    convolution = try section.section("conv_cfg", ConvolutionConfiguration.init) ?? convolution
    norm = try section.section("norm_cfg", NormConfiguration.init) ?? norm
    try section.read("norm_eval", into: &normEval)
    try section.read("zero_init_residual", into: &zeroInitResidual)
    try section.unsupported("dcn", "plugins")
    section.ignore("stage_with_dcn", because: "there is no 'dcn'")
    section.ignore("with_cp", because: "mpi.recompute names the stages that are computed twice")
  }
}

extension RegNetArchitecture {
  /// `arch`: one of mmdetection's names, or a mapping.
  fileprivate init(backbone section: ConfigurationSection) throws {
    guard let node = section.node("arch") else { throw section.missing("arch", expected: "a name or a mapping") }
    if let name = String(configuration: node) {
      guard let named = Self.named[name] else {
        let names = Self.named.keys.sorted().joined(separator: ", ")
        throw section.mismatch("arch", expected: "a mapping or one of \(names)")
      }
      self = named
    } else {
      self = try section.requiredSection("arch") { try RegNetArchitecture(mapping: $0) }
    }
  }

  private init(mapping section: ConfigurationSection) throws {
    self.init(
      w0: try section.required("w0"), wa: try section.required("wa"), wm: try section.required("wm"),
      depth: try section.required("depth"), groupWidth: try section.required("group_w"),
      bottleneckRatio: try section.required("bot_mul"))
    try section.check((8...8192).contains(w0) && w0 % 8 == 0, "w0", expected: "a multiple of 8 from 8 to 8192")
    try section.check((0...1000).contains(wa), "wa", expected: "a number from 0 to 1000")
    try section.check(wm > 1 && wm <= 100, "wm", expected: "a number above 1, at most 100")
    try section.check((1...200).contains(depth), "depth", expected: "a number of blocks from 1 to 200")
    try section.check(groupWidth > 0, "group_w", expected: "a number from 1 on")
    try section.check((0.01...100).contains(bottleneckRatio), "bot_mul", expected: "a number from 0.01 to 100")
    let areWhole = stages.allSatisfy { $0.groups > 0 && $0.innerWidth > 0 && $0.innerWidth % $0.groups == 0 }
    try section.check(areWhole, "group_w", expected: "a width that the stages can be divided into")
  }
}
