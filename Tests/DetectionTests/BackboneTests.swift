import Detection
import Layers
import Tensors
import TestSupport
import Testing

/// ResNet and FPN against mmdetection's numbers: outputs, gradients of every parameter and of the inputs, running
/// statistics.
@Suite struct BackboneTests {
  @Test func resNetAgreesWithEveryCase() throws {
    let cases = try GoldenCase.all("backbone").filter { $0.string("kind") == "ResNet" }
    #expect(cases.count == 6)
    #expect(cases.contains { $0.has("expected/buffers_after") } && cases.contains { $0.has("expected/outs_eval_0") })
    for golden in cases {
      let network = Network()
      let configuration = try ResNetConfiguration(golden)
      let backbone = ResNet(configuration, in: network.scope)
      try network.load(golden)
      let image = try network.map(golden, "inputs/img", needsGradient: golden.has("expected/grad_img"))
      let outputs = try backbone(image)
      try network.compare(outputs, golden, "expected/outs", 2e-5)
      try network.backward(outputs, golden)
      try network.compareGradients(golden)
      if golden.has("expected/grad_img") { try network.compareGradient(of: image, golden, "expected/grad_img") }
      try network.compareStatistics(golden)
      if golden.has("expected/outs_eval_0") {
        network.engine.tape = nil
        try network.compare(backbone(network.map(golden, "inputs/img")), golden, "expected/outs_eval", 2e-5)
      }
    }
  }

  /// Stages that are computed again in the backward pass: the same bits, and less memory.
  @Test func recomputedStagesChangeNoBit() throws {
    let goldens = try GoldenCase.all("backbone").filter { $0.string("kind") == "ResNet" }
    var compared = 0
    for golden in goldens where try !ResNetConfiguration(golden).usesBatchStatistics {
      let results = try [[], [1, 2, 3, 4]].map { recompute in
        let network = Network()
        let configuration = try ResNetConfiguration(golden)
        let backbone = ResNet(
          configuration, in: network.scope, recomputing: recompute.filter { $0 <= configuration.numStages })
        try network.load(golden)
        let image = try network.map(golden, "inputs/img", needsGradient: true)
        let outputs = try backbone(image)
        let recorded = network.engine.tape!.count
        try network.backward(outputs, golden)
        let gradients = (0..<network.store.trainableCount).map { network.store.gradients[$0] }
        return (outputs: outputs.map(\.array), image: image.gradientArray!, gradients: gradients, recorded: recorded)
      }
      #expect(results[0].outputs == results[1].outputs && results[0].image == results[1].image, "\(golden)")
      #expect(results[0].gradients == results[1].gradients, "\(golden)")
      #expect(results[1].recorded < results[0].recorded)
      compared += 1
    }
    #expect(compared > 0)
  }

  @Test func frozenParametersAreMMDetections() throws {
    let golden = try GoldenCase.all("backbone")[0]
    let network = Network()
    _ = ResNet(try ResNetConfiguration(golden), in: network.scope)
    let frozen = network.store.parameters.filter { !$0.isTrainable && !$0.name.contains("running") }.map(\.name)
    let expected = try #require(golden.string("frozen_params"))
    #expect(frozen.count == expected.split(separator: ",").count)
    #expect(frozen.allSatisfy { expected.contains("\"\($0)\"") })
  }

  /// Stages are frozen from below: their maps need no gradient, and nothing of them is on the tape.
  @Test func frozenStagesRecordNothing() throws {
    let golden = try #require(
      try GoldenCase.all("backbone").first { try $0.string("kind") == "ResNet" && ResNetConfiguration($0).normEval })
    var recorded: [Int] = []
    for frozen in 0...4 {
      let network = Network()
      var configuration = try ResNetConfiguration(golden)
      (configuration.frozenStages, configuration.outIndices) = (frozen, [0, 1, 2, 3])
      let backbone = ResNet(configuration, in: network.scope)
      try network.load(golden)
      let outputs = try backbone(network.map(golden, "inputs/img"))
      #expect(outputs.map(\.needsGradient) == (1...4).map { $0 > frozen }, "\(frozen) stages are frozen")
      recorded.append(try #require(network.engine.tape).count)
    }
    #expect(recorded[4] == 0 && zip(recorded, recorded.dropFirst()).allSatisfy { $0 > $1 }, "\(recorded)")
  }

  @Test func fpnAgreesWithEveryCase() throws {
    let cases = try GoldenCase.all("backbone").filter { $0.string("kind") == "FPN" }
    #expect(cases.count == 9)
    for golden in cases {
      let network = Network()
      let neck = FPN(try Self.fpn(golden), in: network.scope)
      try network.load(golden)
      let inputs = try (0..<golden.members("inputs").count { $0.hasPrefix("feats_") }).map {
        try network.map(golden, "inputs/feats_\($0)", needsGradient: true)
      }
      let outputs = try neck(inputs)
      try network.compare(outputs, golden, "expected/outs", 2e-5)
      try network.backward(outputs, golden)
      try network.compareGradients(golden)
      for (level, input) in inputs.enumerated() where golden.has("expected/grad_feats_\(level)") {
        try network.compareGradient(of: input, golden, "expected/grad_feats_\(level)")
      }
    }
  }

  private static func fpn(_ golden: GoldenCase) throws -> FPNConfiguration {
    let cfg = try golden.configuration()
    var configuration = FPNConfiguration()
    configuration.inChannels = try #require(cfg["in_channels"] as? [Int])
    configuration.outChannels = try #require(cfg["out_channels"] as? Int)
    configuration.numOuts = try #require(cfg["num_outs"] as? Int)
    configuration.startLevel = cfg["start_level"] as? Int ?? 0
    configuration.endLevel = cfg["end_level"] as? Int ?? -1
    configuration.reluBeforeExtraConvs = cfg["relu_before_extra_convs"] as? Bool ?? false
    if let place = cfg["add_extra_convs"] as? String {
      configuration.addExtraConvs = try #require(FPNConfiguration.ExtraConvolutions(rawValue: place))
    } else if cfg["add_extra_convs"] as? Bool == true {
      configuration.addExtraConvs = .onInput
    }
    return configuration
  }
}
