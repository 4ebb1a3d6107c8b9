import Detection
import Foundation
import Kernels
import Layers
import Tensors
import TestSupport
import Testing

/// `PAFPN`, `BFP`, a list of necks, and the options of `FPN`, against mmdetection's numbers.
@Suite struct NeckTests {
  @Test func agreesWithEveryCase() throws {
    let cases = try GoldenCase.all("necks2")
    #expect(cases.count == 20)
    for golden in cases { try check(golden) }
  }

  private func check(_ golden: GoldenCase) throws {
    let network = Network()
    let neck = try Self.configuration(golden).make(in: network.scope)
    try network.load(golden)
    let inputs = try (0..<golden.members("inputs").count { $0.hasPrefix("feats_") }).map {
      try network.map(golden, "inputs/feats_\($0)", needsGradient: true)
    }
    let outputs = try neck(inputs)
    try network.compare(outputs, golden, "expected/outs", 1e-5)
    try network.backward(outputs, golden)
    try compareGradients(network, golden)
    for (level, input) in inputs.enumerated() {
      try network.compareGradient(of: input, golden, "expected/grad_feats_\(level)")
    }
    guard golden.has("expected/buffers_after") else { return }
    for name in try golden.members("expected/buffers_after") where !name.hasSuffix("num_batches_tracked") {
      let parameter = try #require(network.store.parameters.first { $0.name == name })
      expectCloseToMaximum(
        parameter.exported(parameter.values), try golden.floats("expected/buffers_after/\(name)"), 2e-5,
        "\(golden) \(name)")
    }
  }

  /// Small tensors in full, of all the sum and the norm.
  private func compareGradients(_ network: Network, _ golden: GoldenCase) throws {
    guard golden.has("expected/grad_l2") else { return }
    func names(_ attribute: String) throws -> [String] {
      try JSONDecoder().decode([String].self, from: Data((golden.string(attribute) ?? "[]").utf8))
    }
    let (full, zero) = (try golden.members("expected/grad"), try names("zero_gradients"))
    let (sums, norms) = (try golden.floats("expected/grad_sum"), try golden.floats("expected/grad_l2"))
    let trained = try names("trainable_params")
    #expect(Set(trained) == Set(network.store.trainable.map(\.name)), "\(golden)")
    for (index, name) in trained.enumerated() {
      let parameter = try #require(network.store.trainable.first { $0.name == name })
      let gradient = parameter.exported(parameter.gradient)
      let norm = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      guard !zero.contains(name) else {
        // What remains of the others by rounding.
        #expect(Float(norm) <= 1e-4 * (norms.max() ?? 0), "\(golden) \(name)")
        continue
      }
      if full.contains(name) {
        expectCloseToMaximum(gradient, try golden.floats("expected/grad/\(name)"), 1e-4, "\(golden) \(name)")
      }
      let limit = 1e-4 * norms[index] * Float(gradient.count).squareRoot()
      expectClose(
        [Float(gradient.reduce(0.0) { $0 + Double($1) })], [sums[index]], absolute: limit, "\(golden) Σ \(name)")
      expectClose([Float(norm)], [norms[index]], relative: 1e-4, "\(golden) ‖\(name)‖")
    }
  }

  private static func configuration(_ golden: GoldenCase) throws -> NeckConfiguration {
    let value = try JSONSerialization.jsonObject(with: Data((golden.string("cfg") ?? "").utf8))
    guard let parts = value as? [[String: Any]] else {
      return try part(Settings(values: try #require(value as? [String: Any])))
    }
    return .sequence(try parts.map { try part(Settings(values: $0)) })
  }

  private static func part(_ settings: Settings) throws -> NeckConfiguration {
    guard settings.values["type"] as? String == "BFP" else { return .fpn(try fpn(settings)) }
    var configuration = BFPConfiguration()
    configuration.inChannels = try #require(settings.integer("in_channels"))
    configuration.numLevels = try #require(settings.integer("num_levels"))
    configuration.refineLevel = try #require(settings.integer("refine_level"))
    if let type = settings.values["refine_type"] as? String {
      configuration.refineType = try #require(BFPConfiguration.Refinement(rawValue: type))
    }
    configuration.norm = settings.norm("norm_cfg")
    return .bfp(configuration)
  }

  private static func fpn(_ settings: Settings) throws -> FPNConfiguration {
    var configuration = FPNConfiguration()
    configuration.inChannels = try #require(settings.values["in_channels"] as? [Int])
    configuration.outChannels = try #require(settings.integer("out_channels"))
    configuration.numOuts = try #require(settings.integer("num_outs"))
    configuration.startLevel = settings.integer("start_level") ?? 0
    configuration.reluBeforeExtraConvs = settings.flag("relu_before_extra_convs") ?? false
    if let place = settings.values["add_extra_convs"] as? String {
      configuration.addExtraConvs = try #require(FPNConfiguration.ExtraConvolutions(rawValue: place))
    }
    configuration.norm = settings.norm("norm_cfg")
    configuration.convolution = settings.convolution
    configuration.noNormOnLateral = settings.flag("no_norm_on_lateral") ?? false
    configuration.relu = settings.part("act_cfg").values["type"] != nil
    let upsampling = settings.part("upsample_cfg")
    if upsampling.values["mode"] as? String == "bilinear" {
      configuration.upsampling = .bilinear(alignCorners: upsampling.flag("align_corners") ?? false)
    }
    configuration.hasBottomUpPath = settings.values["type"] as? String == "PAFPN"
    return configuration
  }
}
