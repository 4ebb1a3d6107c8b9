import Detection

extension SamplerConfiguration {
  init(_ section: ConfigurationSection) throws {
    let type = try section.type(anyOf: ["PseudoSampler", "CombinedSampler"] + RandomSamplerConfiguration.types)
    guard type != "PseudoSampler" else {
      self = .pseudo
      section.ignoreRest(because: "PseudoSampler takes everything")
      return
    }
    var sampler = try RandomSamplerConfiguration(section)
    guard type == "CombinedSampler" else {
      try sampler.readChoice(type, section, ofPositives: true)
      try sampler.readChoice(type, section, ofPositives: false)
      self = .random(sampler)
      return
    }
    for (key, isOfPositives) in [("pos_sampler", true), ("neg_sampler", false)] {
      try section.requiredSection(key) { part in
        let type = try part.type(anyOf: RandomSamplerConfiguration.types)
        try sampler.readChoice(type, part, ofPositives: isOfPositives)
        part.ignore(
          "num", "pos_fraction", "neg_pos_ub", "add_gt_as_proposals", because: "CombinedSampler's own counts")
        part.ignoreRest(because: "'\(key)' does not choose by it")
      }
    }
    self = .random(sampler)
  }
}

extension RandomSamplerConfiguration {
  fileprivate static let types = [
    "RandomSampler", "OHEMSampler", "InstanceBalancedPosSampler", "IoUBalancedNegSampler",
  ]

  /// `add_gt_as_proposals` is true unless written, as in mmdetection.
  fileprivate init(_ section: ConfigurationSection) throws {
    self.init()
    num = try section.required("num")
    try section.check(num > 0, "num", expected: "a number from 1 on")
    posFraction = try section.required("pos_fraction")
    try section.check(posFraction >= 0 && posFraction <= 1, "pos_fraction", expected: "a number from 0 to 1")
    try section.read("neg_pos_ub", into: &negPosUB)
    addGtAsProposals = try section.optional("add_gt_as_proposals") ?? true
    section.ignore("rng", because: "draws depend on the seed, the epoch and the image")
  }

  /// Whom a sampler of this type takes.
  fileprivate mutating func readChoice(_ type: String, _ section: ConfigurationSection, ofPositives: Bool) throws {
    switch (type, ofPositives) {
    case ("OHEMSampler", true): positives = .hard
    case ("OHEMSampler", false): negatives = .hard
    case ("InstanceBalancedPosSampler", true): positives = .instanceBalanced
    case ("IoUBalancedNegSampler", false): negatives = .iouBalanced(try IoUBalanceConfiguration(section))
    default: break
    }
  }
}

extension IoUBalanceConfiguration {
  fileprivate init(_ section: ConfigurationSection) throws {
    self.init()
    try section.read("floor_thr", into: &floorThr)
    try section.check(
      floorThr == -1 || (0...1).contains(floorThr), "floor_thr", expected: "a number from 0 to 1, or -1")
    try section.read("floor_fraction", into: &floorFraction)
    try section.check((0...1).contains(floorFraction), "floor_fraction", expected: "a number from 0 to 1")
    try section.read("num_bins", into: &numBins)
    try section.check((1...10_000).contains(numBins), "num_bins", expected: "a number from 1 on")
  }
}
