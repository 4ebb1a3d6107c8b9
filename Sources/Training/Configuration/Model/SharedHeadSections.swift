import Detection
import Layers

extension SharedHeadConfiguration {
  /// - Parameter baseChannels: the backbone's, so that the head goes on where it ends.
  init(_ section: ConfigurationSection, baseChannels: Int) throws {
    _ = try section.type("ResLayer")
    let depth: Int = try section.required("depth")
    try section.check(
      ResNetConfiguration.depths.contains(depth), "depth",
      expected: "one of \(ResNetConfiguration.depths.map(String.init).joined(separator: ", "))")
    let stage: Int = try section.optional("stage") ?? 3
    try section.check((1...3).contains(stage), "stage", expected: "a number from 1 to 3")
    var layer = ResLayerConfiguration(depth: depth, stage: stage, baseChannels: baseChannels)
    layer.stride = 2
    try section.read("stride", into: &layer.stride)
    try section.check((1...8).contains(layer.stride), "stride", expected: "a number from 1 to 8")
    try section.read("dilation", into: &layer.dilation)
    try section.check((1...8).contains(layer.dilation), "dilation", expected: "a number from 1 to 8")
    try section.read("style", into: &layer.style)
    if depth < 50 {
      section.ignore("style", unless: "pytorch", because: "blocks below depth 50 have one place for the stride")
    }
    layer.norm = try section.section("norm_cfg", NormConfiguration.init) ?? layer.norm
    try section.read("norm_eval", into: &layer.normEval)
    try section.unsupported("dcn")
    section.ignore("with_cp", because: "mpi.recompute names the stages of the backbone that are computed twice")
    self.init(stage: stage, layer: layer)
  }
}
