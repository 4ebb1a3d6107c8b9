import Kernels
import Layers

extension LossReduction: ConfigurationChoice {}

extension ClassificationLoss {
  /// - Parameter types: those that its head can use.
  init(_ section: ConfigurationSection, _ types: String...) throws {
    self.init()
    if try section.type(anyOf: types) == "FocalLoss" {
      try section.only("use_sigmoid", true)
      kind = .focal(gamma: try section.optional("gamma") ?? 2, alpha: try section.optional("alpha") ?? 0.25)
    } else {
      if try section.optional("use_sigmoid") ?? false { kind = .sigmoid }
      classWeight = try section.optional("class_weight")
      try section.unsupported("use_mask")
    }
    try section.read("loss_weight", into: &lossWeight)
    reduction = try section.reduction()
  }
}

extension ConfigurationSection {
  /// `reduction` of a head's loss.
  fileprivate func reduction() throws -> LossReduction {
    if try optional("reduction", as: String.self) == "sum" {
      throw error(
        "reduction", "is sum, which no head can train with: it gives 'avg_factor', and mmdetection stops there")
    }
    return try optional("reduction") ?? .mean
  }

  /// `loss_bbox` of a head; nil where it is absent.
  /// - Parameter ofDecodedBoxes: the head's `reg_decoded_bbox`, without which losses of boxes make no sense.
  func boxRegressionLoss(ofDecodedBoxes: Bool) throws -> BoxRegressionLoss? {
    guard let loss = try section("loss_bbox", { try BoxRegressionLoss($0) }) else { return nil }
    try check(
      ofDecodedBoxes || !loss.isOfBoxes, "loss_bbox", expected: "'reg_decoded_bbox: true' beside a loss of boxes")
    return loss
  }
}

extension BoxRegressionLoss {
  init(_ section: ConfigurationSection) throws {
    self.init()
    let type = try section.type(anyOf: [
      "L1Loss", "SmoothL1Loss", "BalancedL1Loss", "MSELoss", "IoULoss", "GIoULoss", "DIoULoss", "CIoULoss",
      "BoundedIoULoss",
    ])
    switch type {
    case "SmoothL1Loss": kind = .smoothL1(beta: try Self.beta(section, default: 1))
    case "BalancedL1Loss": kind = try Self.balancedL1(section)
    case "MSELoss": kind = .mse
    case "IoULoss": kind = .ofBoxes(.iou(linear: try section.optional("linear") ?? false), eps: try Self.eps(section))
    case "GIoULoss": kind = .ofBoxes(.giou, eps: try Self.eps(section))
    case "DIoULoss": kind = .ofBoxes(.diou, eps: try Self.eps(section))
    case "CIoULoss": kind = .ofBoxes(.ciou, eps: try Self.eps(section))
    case "BoundedIoULoss":
      let beta = Double(try Self.beta(section, default: 0.2))
      kind = .ofBoxes(.boundedIoU(beta: beta), eps: try Self.eps(section, default: 1e-3))
    default: kind = .l1
    }
    try section.read("loss_weight", into: &lossWeight)
    reduction = try section.reduction()
  }

  private static func beta(_ section: ConfigurationSection, default beta: Float) throws -> Float {
    let beta: Float = try section.optional("beta") ?? beta
    try section.check(beta > 0, "beta", expected: "a number above 0")
    return beta
  }

  private static func balancedL1(_ section: ConfigurationSection) throws -> Kind {
    let alpha: Double = try section.optional("alpha") ?? 0.5
    let gamma: Double = try section.optional("gamma") ?? 1.5
    for (key, value) in [("alpha", alpha), ("gamma", gamma)] {
      try section.check(value > 0, key, expected: "a number above 0")
    }
    try section.check(
      gamma / alpha <= 100, "gamma", expected: "at most 100 times 'alpha', as e to the quotient is used")
    return .balancedL1(alpha: alpha, gamma: gamma, beta: Double(try beta(section, default: 1)))
  }

  private static func eps(_ section: ConfigurationSection, default eps: Float = 1e-6) throws -> Float {
    let eps: Float = try section.optional("eps") ?? eps
    try section.check(eps > 0, "eps", expected: "a number above 0")
    return eps
  }
}
