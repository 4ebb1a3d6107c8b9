import Detection

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
