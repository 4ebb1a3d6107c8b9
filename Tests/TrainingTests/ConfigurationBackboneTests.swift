import Detection
import Layers
import Testing
import Training

/// The backbones that a configuration can ask for, and what is said to what it can't.
@Suite struct ConfigurationBackboneTests {
  /// The quickstart configuration with another backbone; the neck takes maps of these channels.
  private func read(_ backbone: String, neck: [Int]) throws -> ReadConfiguration {
    let start = try #require(QuickstartConfiguration.text.range(of: "  backbone:\n"))
    let end = try #require(QuickstartConfiguration.text.range(of: "  neck:\n"))
    let text = QuickstartConfiguration.text.replacingCharacters(
      in: start.lowerBound..<end.lowerBound, with: "  backbone: \(backbone)\n")
    return try ReadConfiguration(text: text, name: "c.yaml", options: ["model.neck.in_channels=\(neck)"])
  }

  private func message(_ backbone: String) throws -> String {
    try ConfigurationFixture.message { try read(backbone, neck: [256, 512, 1024, 2048]) }
  }

  @Test func everyOptionOfAResNetIsRead() throws {
    let backbone = try read(
      """
      {type: ResNet, depth: 50, base_channels: 32, stem_channels: 48, strides: [1, 2, 2, 2], dilations: [1, 2, 1, 3],
        deep_stem: true, avg_down: true, style: caffe, conv_cfg: {type: ConvWS}, zero_init_residual: false,
        norm_cfg: {type: GN, num_groups: 8}, frozen_stages: 2, norm_eval: false}
      """, neck: [128, 256, 512, 1024]
    ).run.model.resNet
    var expected = ResNetConfiguration()
    (expected.baseChannels, expected.stemChannels, expected.dilations) = (32, 48, [1, 2, 1, 3])
    (expected.deepStem, expected.avgDown, expected.style, expected.convolution) = (true, true, .caffe, .convWS)
    (expected.norm, expected.frozenStages) = (.group(groups: 8, requiresGrad: true), 2)
    (expected.normEval, expected.zeroInitResidual) = (false, false)
    #expect(backbone == expected)
    let v1d = try read("{type: ResNetV1d, depth: 50}", neck: [256, 512, 1024, 2048]).run.model.resNet
    #expect(v1d.deepStem && v1d.avgDown && v1d.variant == .resNet)
  }

  @Test func resNeXtIsRead() throws {
    let backbone = try read(
      "{type: ResNeXt, depth: 101, groups: 64, base_width: 4, norm_cfg: {type: BN}}", neck: [256, 512, 1024, 2048]
    ).run.model.resNet
    #expect(backbone.variant == .resNeXt(groups: 64, baseWidth: 4) && backbone.depth == 101)
  }

  @Test(arguments: ["regnetx_3.2gf", "{w0: 88, wa: 26.31, wm: 2.25, group_w: 48, depth: 25, bot_mul: 1.0}"])
  func regNetIsRead(_ arch: String) throws {
    let backbone = try read(
      "{type: RegNet, arch: \(arch), out_indices: [0, 1, 2, 3], norm_cfg: {type: BN}}", neck: [96, 192, 432, 1008]
    ).run.model.resNet
    #expect(backbone.variant == .regNet(try #require(RegNetArchitecture.named["regnetx_3.2gf"])))
    #expect(backbone.stemChannels == 32 && backbone.strides == [2, 2, 2, 2])
  }

  @Test(arguments: [
    ("{type: HRNet}", "'model.backbone.type' is 'HRNet', which is not supported yet"),
    ("{type: Res2Net, depth: 101}", "'model.backbone.type' is 'Res2Net', which is not supported yet"),
    ("{type: ResNet, depth: 50, dcn: {type: DCN}}", "'model.backbone.dcn' is not supported yet"),
    ("{type: ResNet, depth: 50, plugins: [{cfg: {type: ContextBlock}}]}", "'model.backbone.plugins' is not supported"),
    ("{type: ResNet, depth: 50, conv_cfg: {type: ConvAWS}}", "'model.backbone.conv_cfg.type' is 'ConvAWS', which is"),
    ("{type: ResNet, depth: 50, strides: [1, 2, 2]}", "expected a number from 1 on for each of 4 stages"),
    ("{type: ResNet, depth: 50, dilations: [1, 1, 1, 0]}", "expected a number from 1 on for each of 4 stages"),
    ("{type: ResNet, depth: 50, dilations: [1, 1, 1, 100]}", "'model.backbone.dilations' is 100, expected at most 64"),
    ("{type: ResNet, depth: 50, deep_stem: true, stem_channels: 33}", "expected an even number from 2 on"),
    ("{type: ResNet, depth: 50, groups: 32}", "unknown key 'groups' in 'model.backbone'"),
    ("{type: ResNet, depth: 50, norm_cfg: {type: GN, num_groups: 64}, stem_channels: 32}", "and one has 32"),
    ("{type: ResNeXt, depth: 18, groups: 32}", "'model.backbone.depth' is 18, expected one of 50, 101, 152"),
    ("{type: ResNeXt, depth: 50, groups: 0}", "'model.backbone.groups' is 0, expected a number from 1 on"),
    (
      "{type: ResNeXt, depth: 50, groups: 32, base_width: 1, base_channels: 32, stem_channels: 64}",
      "the channels of the backbone's stages"
    ),
    ("{type: ResNeXt, depth: 50, groups: 8, base_width: 1, base_channels: 49}", "'model.backbone.base_width' is 1,"),
    ("{type: ResNeXt, depth: 50, groups: 8, base_width: 4000000000000000000}", "expected at most 16384"),
    ("{type: RegNet}", "'model.backbone' lacks 'arch' (a name or a mapping)"),
    ("{type: RegNet, arch: regnetx_5gf}", "expected a mapping or one of regnetx_1.6gf, regnetx_12gf"),
    ("{type: RegNet, arch: {w0: 88, wa: 26.31, wm: 2.25, group_w: 48, depth: 25}}", "lacks 'bot_mul' (a number)"),
    ("{type: RegNet, arch: {w0: 87, wa: 26.31, wm: 2.25, group_w: 48, depth: 25, bot_mul: 1}}", "a multiple of 8 from"),
    (
      "{type: RegNet, arch: {w0: 8, wa: 26.31, wm: 1.1, group_w: 48, depth: 25, bot_mul: 1}}",
      "'model.backbone.arch' is a mapping, expected one of 1 to 4 stages"
    ),
    ("{type: RegNet, arch: {w0: 8, wa: 1, wm: 2, group_w: 8, depth: 5, bot_mul: 0.05}}", "a width that the stages can"),
    ("{type: RegNet, arch: regnetx_3.2gf, deep_stem: true}", "'model.backbone.deep_stem' is not supported yet"),
    ("{type: RegNet, arch: regnetx_3.2gf, num_stages: 4}", "unknown key 'num_stages' in 'model.backbone'"),
  ])
  func whatCannotBeIsRefused(_ backbone: String, _ expected: String) throws {
    let message = try message(backbone)
    #expect(message.contains(expected), "\(message)")
  }
}
