import Layers

extension OptimizerConfiguration {
  init(_ section: ConfigurationSection) throws {
    self.init()
    _ = try section.type("SGD")
    lr = try section.required("lr")
    try section.check(lr > 0 && lr.isFinite, "lr", expected: "a number above 0")
    try section.read("momentum", into: &momentum)
    try section.check(momentum >= 0 && momentum < 1, "momentum", expected: "a number from 0 to below 1")
    try section.read("dampening", into: &dampening)
    try section.read("weight_decay", into: &weightDecay)
    try section.check(weightDecay >= 0, "weight_decay", expected: "a number from 0 on")
    try section.read("nesterov", into: &nesterov)
    try section.check(
      !nesterov || (momentum > 0 && dampening == 0), "nesterov", expected: "a momentum above 0 and no dampening with it"
    )
    try section.section("paramwise_cfg") { paramwise in
      try paramwise.read("bias_lr_mult", into: &biasLRMult)
      try paramwise.read("bias_decay_mult", into: &biasDecayMult)
      try paramwise.read("norm_decay_mult", into: &normDecayMult)
      try paramwise.unsupported("custom_keys")
      paramwise.ignore("dwconv_decay_mult", because: "there is no depthwise convolution")
      paramwise.ignore("dcn_offset_lr_mult", because: "there is no deformable convolution")
      paramwise.ignore("bypass_duplicate", because: "no parameter is shared")
    }
  }
}

extension GradClip {
  /// From `optimizer_config`, where `grad_clip` may be null.
  static func read(_ section: ConfigurationSection) throws -> GradClip? {
    _ = try section.type("OptimizerHook", default: "OptimizerHook")
    return try section.section("grad_clip") { clip in
      let maxNorm: Double = try clip.required("max_norm")
      try clip.check(maxNorm > 0, "max_norm", expected: "a number above 0")
      let normType = try Self.normType(clip) ?? 2
      try clip.check(normType > 0, "norm_type", expected: "a number above 0, or inf")
      return GradClip(maxNorm: maxNorm, normType: normType)
    }
  }

  /// A number, or the text 'inf' in quotes, as torch takes it.
  private static func normType(_ clip: ConfigurationSection) throws -> Double? {
    if let node = clip.node("norm_type"), String(configuration: node) == "inf" { return .infinity }
    return try clip.optional("norm_type")
  }
}

extension LearningRateConfiguration.WarmUp: ConfigurationChoice {}

extension LearningRateConfiguration {
  /// - Parameter runner: decides whether `step` counts epochs or iterations, unless `by_epoch` does.
  init(_ section: ConfigurationSection, runner: RunnerSection) throws {
    self.init()
    policy = try Self.policy(section)
    byEpoch = try section.optional("by_epoch") ?? runner.countsEpochs
    if policy == .fixed { section.ignore("by_epoch", because: "the rate is fixed") }
    warmup = try section.optional("warmup")
    try section.read("warmup_iters", into: &warmupIters)
    try section.read("warmup_ratio", into: &warmupRatio)
    try section.read("warmup_by_epoch", into: &warmupByEpoch)
    guard warmup != nil else {
      section.ignore("warmup_iters", "warmup_ratio", "warmup_by_epoch", because: "'warmup' is not set")
      return
    }
    try section.check(warmupIters > 0, "warmup_iters", expected: "a number from 1 on, as 'warmup' is set")
    try section.check(warmupRatio > 0 && warmupRatio <= 1, "warmup_ratio", expected: "a number above 0, at most 1")
  }

  private static func policy(_ section: ConfigurationSection) throws -> Policy {
    let name: String = try section.required("policy")
    guard ["step", "fixed"].contains(name.lowercased()) else {
      throw section.error("policy", "is '\(name)', which is not supported yet", hint: "supported: step, fixed")
    }
    guard name.lowercased() == "step" else { return .fixed }
    let gamma = try section.optional("gamma") ?? 0.1
    let minLR: Double? = try section.optional("min_lr")
    guard let step = section.node("step") else { throw section.missing("step", expected: "a number or a list") }
    if let every = Int(configuration: step), every > 0 { return .interval(every: every, gamma: gamma, minLR: minLR) }
    guard let milestones = [Int](configuration: step), milestones.allSatisfy({ $0 > 0 }) else {
      throw section.mismatch("step", expected: "a number from 1 on or a list of them")
    }
    return .step(milestones: milestones, gamma: gamma, minLR: minLR)
  }
}
