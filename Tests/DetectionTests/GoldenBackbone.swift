import Detection
import Layers
import TestSupport
import Testing

extension ResNetConfiguration {
  /// The backbone of a case, from the dictionary that mmdetection built it from.
  init(_ golden: GoldenCase) throws { try self.init(cfg: golden.configuration()) }

  init(cfg: [String: Any]) throws {
    func read<Value>(_ key: String, into target: inout Value) { target = cfg[key] as? Value ?? target }
    if let name = cfg["arch"] as? String {
      self.init(try #require(RegNetArchitecture.named[name]))
    } else if let arch = cfg["arch"] as? [String: Any] {
      func number(_ key: String) throws -> Double { try #require(arch[key] as? Double, "arch.\(key)") }
      self.init(
        RegNetArchitecture(
          w0: Int(try number("w0")), wa: try number("wa"), wm: try number("wm"), depth: Int(try number("depth")),
          groupWidth: Int(try number("group_w")), bottleneckRatio: try number("bot_mul")))
    } else {
      self.init()
      read("depth", into: &depth)
      read("base_channels", into: &baseChannels)
      read("num_stages", into: &numStages)
    }
    if let groups = cfg["groups"] as? Int {
      variant = .resNeXt(groups: groups, baseWidth: cfg["base_width"] as? Int ?? 4)
    }
    if cfg["type"] as? String == "ResNetV1d" { (deepStem, avgDown) = (true, true) }
    stemChannels = cfg["stem_channels"] as? Int ?? stemChannels
    read("strides", into: &strides)
    read("dilations", into: &dilations)
    read("out_indices", into: &outIndices)
    outIndices = outIndices.filter { $0 < numStages }
    read("deep_stem", into: &deepStem)
    read("avg_down", into: &avgDown)
    read("frozen_stages", into: &frozenStages)
    read("norm_eval", into: &normEval)
    read("zero_init_residual", into: &zeroInitResidual)
    style = Style(rawValue: cfg["style"] as? String ?? "pytorch") ?? .pytorch
    if (cfg["conv_cfg"] as? [String: Any])?["type"] as? String == "ConvWS" { convolution = .convWS }
    norm = NormConfiguration(cfg: cfg["norm_cfg"] as? [String: Any] ?? [:])
  }
}

extension NormConfiguration {
  init(cfg: [String: Any]) {
    let requiresGrad = cfg["requires_grad"] as? Bool ?? true
    let groups = cfg["type"] as? String == "GN" ? cfg["num_groups"] as? Int : nil
    self = groups.map { .group(groups: $0, requiresGrad: requiresGrad) } ?? .batch(requiresGrad: requiresGrad)
  }
}

extension ResLayerConfiguration {
  /// The shared head of a case, whose channels are a 32nd of mmdetection's.
  init(_ golden: GoldenCase) throws {
    let cfg = try golden.configuration()
    self.init(
      depth: try #require(cfg["depth"] as? Int), stage: try #require(cfg["stage"] as? Int), baseChannels: 64 / 32)
    (stride, dilation) = (cfg["stride"] as? Int ?? 2, cfg["dilation"] as? Int ?? 1)
    style = .init(rawValue: cfg["style"] as? String ?? "pytorch") ?? .pytorch
    norm = NormConfiguration(cfg: cfg["norm_cfg"] as? [String: Any] ?? [:])
    normEval = cfg["norm_eval"] as? Bool ?? true
  }
}
