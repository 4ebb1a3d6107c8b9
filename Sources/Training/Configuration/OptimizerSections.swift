import Layers

extension OptimizerConfiguration {
  init(_ section: ConfigurationSection) throws {
    self.init()
    switch try section.type("SGD", "Adam", "AdamW") {
    case "SGD": try readSGD(section)
    case let type: adam = try AdamConfiguration(section, decouplesDecay: type == "AdamW")
    }
    lr = try adam == nil ? section.required("lr") : section.optional("lr") ?? 1e-3
    try section.check(lr > 0 && lr.isFinite, "lr", expected: "a number above 0")
    weightDecay = try section.optional("weight_decay")
    try section.check(weightDecay ?? 0 >= 0, "weight_decay", expected: "a number from 0 on")
    try section.section("paramwise_cfg") { try readParamwise($0) }
  }

  private mutating func readSGD(_ section: ConfigurationSection) throws {
    try section.read("momentum", into: &momentum)
    try section.check(momentum >= 0 && momentum < 1, "momentum", expected: "a number from 0 to below 1")
    try section.read("dampening", into: &dampening)
    try section.read("nesterov", into: &nesterov)
    try section.check(
      !nesterov || (momentum > 0 && dampening == 0), "nesterov", expected: "a momentum above 0 and no dampening with it"
    )
  }

  private mutating func readParamwise(_ section: ConfigurationSection) throws {
    try section.read("bias_lr_mult", into: &biasLRMult)
    for (key, target) in [
      ("bias_decay_mult", \Self.biasDecayMult), ("norm_decay_mult", \.normDecayMult),
      ("dwconv_decay_mult", \.dwconvDecayMult),
    ] {
      guard let factor: Float = try section.optional(key) else { continue }
      try requireDecay(section, key)
      self[keyPath: target] = factor
    }
    for (key, factor) in [
      ("bias_lr_mult", biasLRMult), ("bias_decay_mult", biasDecayMult), ("norm_decay_mult", normDecayMult),
      ("dwconv_decay_mult", dwconvDecayMult),
    ] { try section.check(factor >= 0 && factor.isFinite, key, expected: "a number from 0 on") }
    customKeys =
      try section.section("custom_keys") { keys in
        try keys.keys.map { key in
          try keys.requiredSection(key) { try customKey(key, $0) }
        }
      } ?? []
    section.ignore("dcn_offset_lr_mult", because: "there is no deformable convolution")
    section.ignore("bypass_duplicate", because: "no parameter is shared")
  }

  private func customKey(_ key: String, _ section: ConfigurationSection) throws -> CustomKey {
    var custom = CustomKey(key: key)
    try section.read("lr_mult", into: &custom.lrMult)
    try section.check(custom.lrMult >= 0 && custom.lrMult.isFinite, "lr_mult", expected: "a number from 0 on")
    if let factor: Float = try section.optional("decay_mult") {
      try requireDecay(section, "decay_mult")
      custom.decayMult = factor
    }
    try section.check(custom.decayMult >= 0 && custom.decayMult.isFinite, "decay_mult", expected: "a number from 0 on")
    return custom
  }

  /// mmcv multiplies what is written, and nothing where it is not.
  private func requireDecay(_ section: ConfigurationSection, _ key: String) throws {
    guard weightDecay == nil else { return }
    throw section.error(key, "needs 'optimizer.weight_decay', which is absent", hint: "write it, be it as 0")
  }
}

extension AdamConfiguration {
  init(_ section: ConfigurationSection, decouplesDecay: Bool) throws {
    self.init(decouplesDecay: decouplesDecay)
    if let betas: [Double] = try section.optional("betas") {
      try section.check(
        betas.count == 2 && betas.allSatisfy { $0 >= 0 && $0 < 1 }, "betas",
        expected: "two numbers from 0 to below 1")
      (beta1, beta2) = (betas[0], betas[1])
    }
    try section.read("eps", into: &eps)
    try section.check(eps > 0 && eps < 1, "eps", expected: "a number above 0")
    try section.read("amsgrad", into: &amsgrad)
  }
}

/// `optimizer_config`.
struct OptimizerHookSection {
  /// nil where gradients are not clipped.
  let gradClip: GradClip?
  let cumulativeIters: Int

  init(_ section: ConfigurationSection) throws {
    let (plain, cumulative) = ("OptimizerHook", "GradientCumulativeOptimizerHook")
    let isCumulative = try section.type(plain, cumulative, default: plain) == cumulative
    gradClip = try section.section("grad_clip", GradClip.init)
    guard isCumulative else {
      if section.node("cumulative_iters") != nil {
        throw section.error("cumulative_iters", "needs 'type: \(cumulative)' beside it")
      }
      cumulativeIters = 1
      return
    }
    cumulativeIters = try section.optional("cumulative_iters") ?? 1
    try section.check(
      (1...1 << 20).contains(cumulativeIters), "cumulative_iters", expected: "a number from 1 on, at most a million")
  }
}

extension GradClip {
  fileprivate init(_ clip: ConfigurationSection) throws {
    let maxNorm: Double = try clip.required("max_norm")
    try clip.check(maxNorm > 0, "max_norm", expected: "a number above 0")
    let normType = try Self.normType(clip) ?? 2
    try clip.check(normType > 0, "norm_type", expected: "a number above 0, or inf")
    self.init(maxNorm: maxNorm, normType: normType)
  }

  /// A number, or the text 'inf' in quotes, as torch takes it.
  private static func normType(_ clip: ConfigurationSection) throws -> Double? {
    if let node = clip.node("norm_type"), String(configuration: node) == "inf" { return .infinity }
    return try clip.optional("norm_type")
  }
}

extension AverageConfiguration {
  /// `EMAHook` in `custom_hooks`; nil where there is none.
  static func read(topLevel: ConfigurationSection) throws -> AverageConfiguration? {
    var found: AverageConfiguration?
    _ = try topLevel.sections("custom_hooks") { hook in
      guard try hook.type("NumClassCheckHook", "EMAHook") == "EMAHook" else {
        hook.ignore("priority", because: "classes are checked before anything else")
        return
      }
      guard found == nil else { throw hook.error("type", "is EMAHook, which stands here twice") }
      found = try AverageConfiguration(hook)
    }
    return found
  }

  private init(_ hook: ConfigurationSection) throws {
    self.init()
    try hook.read("momentum", into: &momentum)
    try hook.check(momentum > 0 && momentum < 1, "momentum", expected: "a number above 0 and below 1")
    try hook.read("interval", into: &interval)
    try hook.check(interval > 0 && interval <= 1 << 20, "interval", expected: "a number from 1 on")
    try hook.read("warm_up", into: &warmUp)
    try hook.check(warmUp >= 0 && warmUp <= 1 << 40, "warm_up", expected: "a number from 0 on")
    hook.ignore("resume_from", because: "a run that is resumed has its running means in the checkpoint")
    hook.ignore("priority", because: "means are updated after each step, before anything is measured or saved")
  }
}
