import Detection
import Layers

extension RunConfiguration {
  /// `model`, with `train_cfg` and `test_cfg` inside it or, as before mmdetection 2.10, beside it.
  mutating func readModel(_ topLevel: ConfigurationSection) throws {
    try topLevel.requiredSection("model") { section in
      _ = try section.type("FasterRCNN")
      pretrained = try section.optional("pretrained")
      model.backbone = try section.requiredSection("backbone", BackboneConfiguration.init)
      model.neck = try section.requiredSection("neck", NeckConfiguration.init)
      var rpnHead = try section.requiredSection("rpn_head", RPNHeadConfiguration.init)
      model.roiHead = try section.requiredSection("roi_head", RoIHeadConfiguration.init)
      try Self.owner(of: "test_cfg", section, topLevel).requiredSection("test_cfg") { test in
        try rpnHead.readTesting(test)
        try model.roiHead.detection.readTesting(test)
      }
      try Self.owner(of: "train_cfg", section, topLevel).requiredSection("train_cfg") { train in
        try rpnHead.readTraining(train)
        try model.roiHead.stages[0].readTraining(train)
      }
      model.source = .rpnHead(rpnHead)
    }
    topLevel.accept("train_cfg", "test_cfg")
  }

  private static func owner(
    of key: String, _ model: ConfigurationSection, _ topLevel: ConfigurationSection
  ) throws -> ConfigurationSection {
    let isInside = model.node(key) != nil
    guard topLevel.node(key) != nil else { return model }
    guard !isInside else { throw topLevel.error(key, "stands both at the top level and in 'model'", hint: "keep one") }
    topLevel.notice(key, "belongs in 'model' since mmdetection 2.10; it is read here too")
    return topLevel
  }
}

extension NormConfiguration {
  init(_ section: ConfigurationSection) throws {
    let type = try section.type("BN", "SyncBN", "GN", default: "BN")
    let requiresGrad = try section.optional("requires_grad") ?? true
    try section.only("eps", 1e-5)
    switch type {
    case "GN": self = .group(groups: try section.required("num_groups"), requiresGrad: requiresGrad)
    case "SyncBN":
      try section.only("momentum", 0.1)
      self = .syncBatch(requiresGrad: requiresGrad)
    default:
      try section.only("momentum", 0.1)
      self = .batch(requiresGrad: requiresGrad)
    }
  }
}

extension ResNetConfiguration.Style: ConfigurationChoice {}

extension BackboneConfiguration {
  init(_ section: ConfigurationSection) throws {
    _ = try section.type("ResNet")
    self = .resNet(try ResNetConfiguration(section))
  }
}

extension ResNetConfiguration {
  fileprivate init(_ section: ConfigurationSection) throws {
    self.init()
    depth = try section.required("depth")
    try section.check(
      Self.depths.contains(depth), "depth",
      expected: "one of \(Self.depths.map(String.init).joined(separator: ", "))")
    try section.read("in_channels", into: &inChannels)
    try section.check(inChannels == 3, "in_channels", expected: "3, the colours of a picture")
    try section.read("base_channels", into: &baseChannels)
    try section.check(baseChannels > 0, "base_channels", expected: "a number from 1 on")
    try section.read("num_stages", into: &numStages)
    try section.check((1...4).contains(numStages), "num_stages", expected: "a number from 1 to 4")
    try section.read("out_indices", into: &outIndices)
    let areStages = !outIndices.isEmpty && outIndices.allSatisfy { (0..<numStages).contains($0) }
    try section.check(areStages, "out_indices", expected: "stages from 0 to \(numStages - 1)")
    try section.read("style", into: &style)
    try section.read("frozen_stages", into: &frozenStages)
    try section.check(
      (-1...numStages).contains(frozenStages), "frozen_stages", expected: "a number from -1 to \(numStages)")
    norm = try section.section("norm_cfg", NormConfiguration.init) ?? norm
    try section.read("norm_eval", into: &normEval)
    try section.read("zero_init_residual", into: &zeroInitResidual)
    try readFixed(section)
  }

  private func readFixed(_ section: ConfigurationSection) throws {
    try section.only("stem_channels", baseChannels)
    try section.only("strides", Array([1, 2, 2, 2].prefix(numStages)))
    try section.only("dilations", Array(repeating: 1, count: numStages))
    try section.unsupported("deep_stem", "avg_down", "conv_cfg", "dcn", "plugins")
    section.ignore("stage_with_dcn", because: "there is no 'dcn'")
    if depth < 50 {
      section.ignore("style", unless: "pytorch", because: "blocks below depth 50 have one place for the stride")
    }
    section.ignore("with_cp", because: "mpi.recompute names the stages that are computed twice")
  }
}

extension NeckConfiguration {
  init(_ section: ConfigurationSection) throws {
    _ = try section.type("FPN")
    self = .fpn(try FPNConfiguration(section))
  }
}

extension FPNConfiguration {
  fileprivate init(_ section: ConfigurationSection) throws {
    self.init()
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
    try section.unsupported("no_norm_on_lateral", "conv_cfg", "act_cfg")
    try section.section("upsample_cfg") { try $0.only("mode", "nearest") }
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
