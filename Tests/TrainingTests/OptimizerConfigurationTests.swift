import Layers
import Testing
import Training

/// What `optimizer`, `optimizer_config` and `custom_hooks` may say.
@Suite struct OptimizerConfigurationTests {
  private static let cumulative = "type: GradientCumulativeOptimizerHook"

  @Test func optionsAreRead() throws {
    let read = try ConfigurationFixture.read(options: [
      """
      optimizer={type: AdamW, lr: 0.0002, betas: [0.8, 0.95], eps: 1.0e-6, amsgrad: true, weight_decay: 0.05, \
      paramwise_cfg: {dwconv_decay_mult: 0.5, custom_keys: {backbone: {lr_mult: 0.1}, neck: {decay_mult: 0}}}}
      """,
      "optimizer_config={\(Self.cumulative), cumulative_iters: 4}",
      "custom_hooks=[{type: NumClassCheckHook}, {type: EMAHook, momentum: 0.01, interval: 2, warm_up: 10}]",
    ])
    #expect(read.notices.isEmpty, "\(read.notices)")
    let optimizer = read.run.optimizer
    var adam = AdamConfiguration(decouplesDecay: true)
    (adam.beta1, adam.beta2, adam.eps, adam.amsgrad) = (0.8, 0.95, 1e-6, true)
    #expect(optimizer.adam == adam && optimizer.lr == 0.0002 && optimizer.weightDecay == 0.05)
    #expect(optimizer.gradClip == nil && optimizer.dwconvDecayMult == 0.5)
    #expect(
      optimizer.customKeys == [CustomKey(key: "backbone", lrMult: 0.1), CustomKey(key: "neck", decayMult: 0)])
    #expect(read.run.cumulativeIters == 4)
    var average = AverageConfiguration()
    (average.momentum, average.interval, average.warmUp) = (0.01, 2, 10)
    #expect(read.run.average == average)
  }

  @Test func factorsAreReadIntoTheirSettings() throws {
    let factors = "{bias_lr_mult: 2, bias_decay_mult: 3, norm_decay_mult: 4, dwconv_decay_mult: 5}"
    let options = ["optimizer={type: SGD, lr: 1, weight_decay: 1, paramwise_cfg: \(factors)}"]
    let optimizer = try ConfigurationFixture.read(options: options).run.optimizer
    #expect(optimizer.biasLRMult == 2 && optimizer.biasDecayMult == 3)
    #expect(optimizer.normDecayMult == 4 && optimizer.dwconvDecayMult == 5)
  }

  /// torch's and mmcv's.
  @Test func defaults() throws {
    let plain = try ConfigurationFixture.read(options: []).run
    #expect(plain.optimizer.adam == nil && plain.cumulativeIters == 1 && plain.average == nil)
    let adam = try ConfigurationFixture.read(options: ["optimizer={type: Adam}"]).run.optimizer
    #expect(adam.adam == AdamConfiguration(decouplesDecay: false) && adam.lr == 0.001 && adam.decay == 0)
    #expect(try ConfigurationFixture.read(options: ["optimizer={type: AdamW}"]).run.optimizer.decay == 0.01)
    let hook = try ConfigurationFixture.read(options: ["custom_hooks=[{type: EMAHook, resume_from: a.pth}]"])
    #expect(hook.run.average == AverageConfiguration() && hook.run.average?.warmUp == 100)
    #expect(hook.notices.count == 1 && hook.notices[0].contains("'custom_hooks.0.resume_from' has no meaning here"))
  }

  @Test(arguments: [
    ("optimizer={type: RMSprop, lr: 1}", "'optimizer.type' is 'RMSprop', which is not supported yet"),
    ("optimizer={type: SGD, lr: 1, betas: [0.9, 0.9]}", "unknown key 'betas' in 'optimizer'"),
    ("optimizer={type: Adam, momentum: 0.9}", "unknown key 'momentum' in 'optimizer'"),
    (
      "optimizer={type: Adam, betas: [0.9, 1]}", "'optimizer.betas' is [0.9, 1], expected two numbers from 0 to below 1"
    ),
    (
      "optimizer={type: SGD, lr: 1, paramwise_cfg: {norm_decay_mult: 0}}",
      "'optimizer.paramwise_cfg.norm_decay_mult' needs 'optimizer.weight_decay', which is absent"
    ),
    (
      "optimizer={type: SGD, lr: 1, paramwise_cfg: {custom_keys: {neck: {decay_mult: 0}}}}",
      "'optimizer.paramwise_cfg.custom_keys.neck.decay_mult' needs 'optimizer.weight_decay', which is absent"
    ),
    (
      "optimizer={type: SGD, lr: 1, paramwise_cfg: {custom_keys: {neck: {lr_mul: 2}}}}",
      "unknown key 'lr_mul' in 'optimizer.paramwise_cfg.custom_keys.neck'"
    ),
    ("optimizer_config={cumulative_iters: 4}", "needs 'type: GradientCumulativeOptimizerHook' beside it"),
    (
      "optimizer_config={type: GradientCumulativeOptimizerHook, cumulative_iters: 0}",
      "'optimizer_config.cumulative_iters' is 0, expected a number from 1 on"
    ),
    ("custom_hooks=[{type: EMAHook, momentum: 1}]", "'custom_hooks.0.momentum' is 1, expected a number above 0"),
    ("custom_hooks=[{type: EMAHook}, {type: EMAHook}]", "'custom_hooks.1.type' is EMAHook, which stands here twice"),
    ("custom_hooks=[{type: SyncRandomSizeHook}]", "'custom_hooks.0.type' is 'SyncRandomSizeHook'"),
    ("momentum_config={policy: cyclic}", "'momentum_config' is not supported yet"),
  ])
  func refuses(_ option: String, _ message: String) throws {
    let text = try ConfigurationFixture.message { try ConfigurationFixture.read(options: [option]) }
    #expect(text.contains("error: ") && text.contains(message), "\(text)")
  }
}
