import Tensors

/// The options of the optimiser and its schedule, with mmdetection 2.11's (mmcv 1.3's) names and meaning.

/// `optimizer`, type `SGD`, `Adam` or `AdamW`, with `optimizer_config.grad_clip` and `paramwise_cfg`.
public struct OptimizerConfiguration: Equatable, Sendable {
  /// nil: SGD.
  public var adam: AdamConfiguration?
  public var lr: Double = 0.02
  public var momentum: Float = 0
  public var dampening: Float = 0
  /// nil: torch's, 0.01 for AdamW, else 0.
  public var weightDecay: Float?
  public var nesterov = false
  public var gradClip: GradClip?
  public var biasLRMult: Float = 1
  public var biasDecayMult: Float = 1
  public var normDecayMult: Float = 1
  public var dwconvDecayMult: Float = 1
  /// `paramwise_cfg.custom_keys`, in any order.
  public var customKeys: [CustomKey] = []

  public init() {}

  /// The weight decay before any factor.
  public var decay: Float { weightDecay ?? (adam?.decouplesDecay == true ? 0.01 : 0) }

  /// torch's name of the algorithm.
  public var name: String { adam.map { $0.decouplesDecay ? "AdamW" : "Adam" } ?? "SGD" }

  /// What it keeps of each parameter.
  public var states: [ParameterState] {
    guard let adam else { return momentum == 0 ? [] : [.momentum] }
    return [.expAvg, .expAvgSq] + (adam.amsgrad ? [.maxExpAvgSq] : [])
  }
}

/// What `Adam` and `AdamW` have beside `lr` and `weight_decay`.
public struct AdamConfiguration: Equatable, Sendable {
  public var beta1 = 0.9
  public var beta2 = 0.999
  public var eps = 1e-8
  public var amsgrad = false
  /// AdamW: the weights decay by themselves and not through their gradients.
  public var decouplesDecay: Bool

  public init(decouplesDecay: Bool) { self.decouplesDecay = decouplesDecay }

  var betas: (Double, Double) { (beta1, beta2) }
}

/// An entry of `custom_keys`: the factors for parameters of whose names `key` is a part.
public struct CustomKey: Equatable, Sendable {
  public var key: String
  public var lrMult: Float
  public var decayMult: Float

  public init(key: String, lrMult: Float = 1, decayMult: Float = 1) {
    (self.key, self.lrMult, self.decayMult) = (key, lrMult, decayMult)
  }
}

/// `EMAHook`: a running mean of the parameters, with which a model is measured and saved.
public struct AverageConfiguration: Equatable, Sendable {
  /// What a mean takes of the newest values; mmcv raises it to the power of `interval`.
  public var momentum = 0.0002
  /// Iterations from one update to the next.
  public var interval = 1
  /// Iterations over which more is taken at first.
  public var warmUp = 100

  public init() {}

  /// What the mean takes after an iteration, 0-based; nil where it is not updated.
  public func intake(after iteration: Int) -> Double? {
    guard iteration % interval == 0 else { return nil }
    let atFirst = Double(1 + iteration) / Double(max(1, warmUp + iteration))
    return min((0..<interval).reduce(1.0) { product, _ in product * momentum }, atFirst)
  }
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
