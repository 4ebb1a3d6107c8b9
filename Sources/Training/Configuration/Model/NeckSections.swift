import Detection
import Layers

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
