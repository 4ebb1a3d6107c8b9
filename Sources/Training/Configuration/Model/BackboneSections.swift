import Detection
import Layers

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
