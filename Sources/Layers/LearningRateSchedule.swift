import Foundation

/// The learning rate as a function of progress, as mmcv's `StepLrUpdaterHook` and `FixedLrUpdaterHook`.
public struct LearningRateSchedule: Sendable {
  public let configuration: LearningRateConfiguration
  /// The optimiser's `lr`.
  public let baseRate: Double
  public let iterationsPerEpoch: Int

  public init(configuration: LearningRateConfiguration, baseRate: Double, iterationsPerEpoch: Int) {
    (self.configuration, self.baseRate) = (configuration, baseRate)
    self.iterationsPerEpoch = iterationsPerEpoch
  }

  /// The rate of a step.
  /// - Parameters:
  ///   - epoch: 0-based.
  ///   - iteration: 0-based, over all epochs.
  public func rate(epoch: Int, iteration: Int) -> Double {
    let regular = regularRate(progress: configuration.byEpoch ? epoch : iteration)
    guard let warmup = configuration.warmup, iteration < warmupIterations else { return regular }
    return regular * warmupFactor(warmup, Double(iteration) / Double(warmupIterations))
  }

  private var warmupIterations: Int {
    configuration.warmupIters * (configuration.warmupByEpoch ? iterationsPerEpoch : 1)
  }

  private func regularRate(progress: Int) -> Double {
    switch configuration.policy {
    case .fixed: return baseRate
    case .step(let milestones, let gamma, let minLR):
      let passed = milestones.firstIndex { progress < $0 } ?? milestones.count
      return decayed(passed, gamma, minLR)
    case .interval(let every, let gamma, let minLR): return decayed(progress / every, gamma, minLR)
    }
  }

  private func decayed(_ times: Int, _ gamma: Double, _ minLR: Double?) -> Double {
    max(baseRate * pow(gamma, Double(times)), minLR ?? -.infinity)
  }

  /// What the current regular rate, which may have decayed already, is multiplied by. `part` runs from 0 to 1.
  private func warmupFactor(_ warmup: LearningRateConfiguration.WarmUp, _ part: Double) -> Double {
    let ratio = configuration.warmupRatio
    switch warmup {
    case .constant: return ratio
    case .linear: return 1 - (1 - part) * (1 - ratio)
    case .exp: return pow(ratio, 1 - part)
    }
  }
}
