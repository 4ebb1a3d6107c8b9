import Detection

extension SamplerConfiguration {
  init(_ section: ConfigurationSection) throws {
    if try section.type("RandomSampler", "PseudoSampler") == "PseudoSampler" {
      self = .pseudo
      section.ignoreRest(because: "PseudoSampler takes everything")
    } else {
      self = .random(try RandomSamplerConfiguration(section))
    }
  }
}

extension RandomSamplerConfiguration {
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
}
