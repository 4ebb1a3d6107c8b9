import Kernels
import Tensors

/// SGD, Adam or AdamW over all trainable parameters of a store, with torch's semantics.
public final class Optimizer {
  /// How a stretch of the arenas is treated: parameters of equal treatment that follow each other are one stretch.
  private struct Stretch {
    var range: Range<Int>
    var treatment: ParameterTreatment
  }

  public let configuration: OptimizerConfiguration
  /// The steps taken so far, which decide how Adam's means are corrected, and where the first one is: there SGD takes
  /// the whole gradient, whatever the dampening. To be set where a run goes on.
  public var stepCount = 0
  private let store: ParameterStore
  private let stretches: [Stretch]

  /// Makes the store keep what the optimiser needs. The store must be allocated, and must not be given other parameters
  /// later.
  public init(configuration: OptimizerConfiguration, store: ParameterStore) {
    (self.configuration, self.store) = (configuration, store)
    var stretches: [Stretch] = []
    let treatments = ParameterTreatments(configuration, store)
    for parameter in store.trainable {
      let treatment = treatments.treatment(of: parameter)
      let end = parameter.offset + parameter.count
      if stretches.last?.treatment == treatment {
        stretches[stretches.count - 1].range = stretches.last!.range.lowerBound..<end
      } else {
        stretches.append(Stretch(range: parameter.offset..<end, treatment: treatment))
      }
    }
    self.stretches = stretches
    store.keep(configuration.states)
  }

  /// The norm of all gradients together, which `clipGradients` goes by; nil without `grad_clip`.
  public func gradientNorm(_ workers: Workers) -> Double? {
    configuration.gradClip.map { VectorNorm.norm(store.gradients, store.trainableCount, p: $0.normType, workers) }
  }

  /// torch's `clip_grad_norm_`: multiplies the gradients by `max_norm / (norm + 1e-6)` if that is below 1. Nothing without
  /// `grad_clip`.
  /// - Parameters:
  ///   - norm: their `gradientNorm`.
  ///   - workers: the threads to compute with.
  public func clipGradients(norm: Double?, _ workers: Workers) {
    guard let clip = configuration.gradClip, let norm else { return }
    let coefficient = clip.maxNorm / (norm + 1e-6)
    if coefficient < 1 { VectorNorm.scale(store.gradients, store.trainableCount, by: Float(coefficient), workers) }
  }

  /// Whether the gradients can be applied. A norm that is finite saves the look at them.
  public func gradientsAreFinite(norm: Double?, _ workers: Workers) -> Bool {
    norm?.isFinite ?? false || Magnitude.areFinite(store.gradients, store.trainableCount, workers)
  }

  /// Moves all trainable parameters by their gradients.
  public func step(learningRate: Double, _ workers: Workers) {
    step({ learningRate * Double($0) }, workers)
  }

  /// - Parameters:
  ///   - rate: the learning rate of parameters with a factor on it: a schedule whose lowest rate is given as a number
  ///     doesn't multiply that.
  ///   - workers: the threads to compute with.
  public func step(_ rate: (_ factor: Float) -> Double, _ workers: Workers) {
    for stretch in stretches {
      let rate = rate(stretch.treatment.rateFactor)
      if let adam = configuration.adam {
        step(adam, stretch, rate, workers)
      } else {
        stepSGD(stretch, rate, workers)
      }
    }
    stepCount += 1
  }

  private func stepSGD(_ stretch: Stretch, _ rate: Double, _ workers: Workers) {
    let step = SGDStep(
      rate: Float(rate), momentum: configuration.momentum, intake: stepCount == 0 ? 1 : 1 - configuration.dampening,
      weightDecay: stretch.treatment.weightDecay, nesterov: configuration.nesterov)
    let first = stretch.range.lowerBound
    step.update(
      store.values + first, store.gradients + first, configuration.momentum == 0 ? nil : store.momenta + first,
      stretch.range.count, workers)
  }

  private func step(_ adam: AdamConfiguration, _ stretch: Stretch, _ rate: Double, _ workers: Workers) {
    let step = AdamStep(
      rate: rate, betas: adam.betas, epsilon: adam.eps, weightDecay: Double(stretch.treatment.weightDecay),
      decouplesDecay: adam.decouplesDecay, number: stepCount + 1)
    let first = stretch.range.lowerBound
    step.update(
      store.values + first, store.gradients + first, store.state(.expAvg) + first, store.state(.expAvgSq) + first,
      largest: adam.amsgrad ? store.state(.maxExpAvgSq) + first : nil, stretch.range.count, workers)
  }
}
