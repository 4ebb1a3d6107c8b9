import Layers

extension LearningRateConfiguration.WarmUp: ConfigurationChoice {}

extension LearningRateConfiguration {
  /// - Parameter runner: decides whether `step` counts epochs or iterations, unless `by_epoch` does.
  init(_ section: ConfigurationSection, runner: RunnerSection) throws {
    self.init()
    policy = try Self.policy(section)
    byEpoch = try section.optional("by_epoch") ?? (runner.countsEpochs && !policy.countsIterations)
    if policy == .fixed { section.ignore("by_epoch", because: "the rate is fixed") }
    if policy.countsIterations {
      try section.check(!byEpoch, "by_epoch", expected: "false: a cyclic rate counts iterations")
    }
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

  /// Names are mmcv's: without a word in capitals only the first letter may be either.
  private static func policy(_ section: ConfigurationSection) throws -> Policy {
    let name: String = try section.required("policy")
    switch name.prefix(1).uppercased() + name.dropFirst() {
    case "Fixed": return .fixed
    case "Step": return try step(section)
    case "Exp": return .exp(gamma: try section.required("gamma"))
    case "Poly": return .poly(power: try section.optional("power") ?? 1, minLR: try section.optional("min_lr") ?? 0)
    case "Inv": return .inv(gamma: try section.required("gamma"), power: try section.optional("power") ?? 1)
    case "CosineAnnealing": return .cosineAnnealing(target: try target(section))
    case "Cyclic": return try cyclic(section)
    default:
      throw section.error(
        "policy", "is '\(name)', which is not supported yet",
        hint: "supported: fixed, step, exp, poly, inv, CosineAnnealing, cyclic")
    }
  }

  private static func step(_ section: ConfigurationSection) throws -> Policy {
    let gamma = try section.optional("gamma") ?? 0.1
    let minLR: Double? = try section.optional("min_lr")
    guard let step = section.node("step") else { throw section.missing("step", expected: "a number or a list") }
    if let every = Int(configuration: step), every > 0 { return .interval(every: every, gamma: gamma, minLR: minLR) }
    guard let milestones = [Int](configuration: step), milestones.allSatisfy({ $0 > 0 }) else {
      throw section.mismatch("step", expected: "a number from 1 on or a list of them")
    }
    return .step(milestones: milestones, gamma: gamma, minLR: minLR)
  }

  /// `min_lr` or `min_lr_ratio`, one of them.
  private static func target(_ section: ConfigurationSection) throws -> Target {
    let (rate, ratio): (Double?, Double?) = (try section.optional("min_lr"), try section.optional("min_lr_ratio"))
    if let rate, ratio == nil { return .rate(rate) }
    if let ratio, rate == nil { return .ratio(ratio) }
    guard rate == nil else { throw section.error("min_lr", "stands beside 'min_lr_ratio'", hint: "keep one of them") }
    throw section.missing("min_lr", expected: "a number, or 'min_lr_ratio'")
  }

  /// `target_ratio: 10` leads down to a hundred-thousandth of it.
  private static func cyclic(_ section: ConfigurationSection) throws -> Policy {
    var ratios = CycleRatios(up: 10, down: 1e-4)
    if let node = section.node("target_ratio") {
      let values = Double(configuration: node).map { [$0] } ?? [Double](configuration: node) ?? []
      try section.check((1...2).contains(values.count), "target_ratio", expected: "a number or two")
      ratios = CycleRatios(up: values[0], down: values.count == 2 ? values[1] : values[0] / 1e5)
    }
    let times = try section.optional("cyclic_times") ?? 1
    try section.check(times > 0, "cyclic_times", expected: "a number from 1 on")
    let stepRatioUp = try section.optional("step_ratio_up") ?? 0.4
    try section.check(stepRatioUp >= 0 && stepRatioUp < 1, "step_ratio_up", expected: "a number from 0 to below 1")
    try section.only("anneal_strategy", "cos")
    return .cyclic(ratios: ratios, times: times, stepRatioUp: stepRatioUp)
  }
}

extension LearningRateConfiguration.Policy {
  fileprivate var countsIterations: Bool {
    if case .cyclic = self { true } else { false }
  }
}
