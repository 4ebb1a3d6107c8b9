import Foundation

/// The learning rate as a function of progress, as mmcv 1.3's `LrUpdaterHook`s of the policies' names.
public struct LearningRateSchedule: Sendable {
  public let configuration: LearningRateConfiguration
  /// The optimiser's `lr`.
  public let baseRate: Double
  public let iterationsPerEpoch: Int
  /// Of the whole run, which some policies share out.
  public let maxEpochs: Int
  public let maxIterations: Int

  public init(
    configuration: LearningRateConfiguration, baseRate: Double, iterationsPerEpoch: Int, maxEpochs: Int,
    maxIterations: Int
  ) {
    (self.configuration, self.baseRate) = (configuration, baseRate)
    self.iterationsPerEpoch = iterationsPerEpoch
    (self.maxEpochs, self.maxIterations) = (maxEpochs, maxIterations)
  }

  /// The rate of a step.
  /// - Parameters:
  ///   - epoch: 0-based.
  ///   - iteration: 0-based, over all epochs.
  ///   - factor: on the optimiser's `lr`, for parameters of their own (`paramwise_cfg`). Lowest rates that are given as
  ///     numbers are not multiplied, as in mmcv.
  public func rate(epoch: Int, iteration: Int, factor: Double = 1) -> Double {
    if factor != 1 {
      return LearningRateSchedule(
        configuration: configuration, baseRate: baseRate * factor, iterationsPerEpoch: iterationsPerEpoch,
        maxEpochs: maxEpochs, maxIterations: maxIterations
      ).rate(epoch: epoch, iteration: iteration)
    }
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
    case .exp(let gamma): return baseRate * pow(gamma, Double(progress))
    case .poly(let power, let minLR): return (baseRate - minLR) * pow(1 - part(progress), power) + minLR
    case .inv(let gamma, let power): return baseRate * pow(1 + gamma * Double(progress), -power)
    case .cosineAnnealing(.rate(let target)): return annealed(baseRate, target, part(progress))
    case .cosineAnnealing(.ratio(let ratio)): return annealed(baseRate, baseRate * ratio, part(progress))
    case .cyclic(let ratios, let times, let stepRatioUp):
      return cyclicRate(iteration: progress, ratios, length: max(1, maxIterations / times), stepRatioUp)
    }
  }

  /// How much of the run is over; a run that was resumed on fewer pictures can be beyond its end.
  private func part(_ progress: Int) -> Double {
    min(1, Double(progress) / Double(configuration.byEpoch ? maxEpochs : maxIterations))
  }

  /// Half a cosine from one rate to another; `part` runs from 0 to 1.
  private func annealed(_ from: Double, _ to: Double, _ part: Double) -> Double {
    to + 0.5 * (from - to) * (cos(.pi * part) + 1)
  }

  private func cyclicRate(
    iteration: Int, _ ratios: LearningRateConfiguration.CycleRatios, length: Int, _ stepRatioUp: Double
  ) -> Double {
    let rising = Int(stepRatioUp * Double(length))
    let place = iteration % length
    if place < rising { return annealed(baseRate, baseRate * ratios.up, Double(place) / Double(rising)) }
    let part = Double(place - rising) / Double(length - rising)
    return annealed(baseRate * ratios.up, baseRate * ratios.down, part)
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
