import Layers

extension ConvolutionConfiguration {
  /// `conv_cfg`.
  init(_ section: ConfigurationSection) throws {
    self = try section.type("Conv2d", "Conv", "ConvWS", default: "Conv2d") == "ConvWS" ? .convWS : .conv2D
    if self == .convWS { try section.only("eps", 1e-5) }
  }
}
