/// The options of the optimiser and its schedule, with mmdetection 2.11's (mmcv 1.3's) names and meaning.

/// `optimizer`, type `SGD`, with `optimizer_config.grad_clip` and `paramwise_cfg`.
public struct OptimizerConfiguration: Equatable, Sendable {
  public var lr: Double = 0.02
  public var momentum: Float = 0
  public var dampening: Float = 0
  public var weightDecay: Float = 0
  public var nesterov = false
  public var gradClip: GradClip?
  public var biasLRMult: Float = 1
  public var biasDecayMult: Float = 1
  public var normDecayMult: Float = 1

  public init() {}
}

/// `grad_clip: {max_norm, norm_type}`.
public struct GradClip: Equatable, Sendable {
  public var maxNorm: Double
  /// `.infinity` for the largest element.
  public var normType: Double

  public init(maxNorm: Double, normType: Double = 2) { (self.maxNorm, self.normType) = (maxNorm, normType) }
}

/// `lr_config`.
public struct LearningRateConfiguration: Equatable, Sendable {
  public enum Policy: Equatable, Sendable {
    case fixed
    /// `step: [8, 11]`.
    case step(milestones: [Int], gamma: Double, minLR: Double?)
    /// `step: 3`: every so many.
    case interval(every: Int, gamma: Double, minLR: Double?)
    case exp(gamma: Double)
    case poly(power: Double, minLR: Double)
    case inv(gamma: Double, power: Double)
    case cosineAnnealing(target: Target)
    /// Up to `ratios.up` times the rate, down to `ratios.down` times it, so many times in the run.
    case cyclic(ratios: CycleRatios, times: Int, stepRatioUp: Double)
  }
  /// Where annealing leads to.
  public enum Target: Equatable, Sendable {
    case rate(Double)
    /// Of the optimiser's `lr`.
    case ratio(Double)
  }
  public struct CycleRatios: Equatable, Sendable {
    public var up: Double
    public var down: Double

    public init(up: Double, down: Double) { (self.up, self.down) = (up, down) }
  }
  public enum WarmUp: String, Sendable, CaseIterable { case constant, linear, exp }

  public var policy = Policy.fixed
  /// Milestones count epochs, else iterations.
  public var byEpoch = true
  public var warmup: WarmUp?
  public var warmupIters = 0
  public var warmupRatio = 0.1
  /// `warmup_iters` counts epochs.
  public var warmupByEpoch = false

  public init() {}
}
