import Kernels
import Tensors

/// Stochastic gradient descent over all trainable parameters of a store, with torch's semantics and mmcv's
/// `paramwise_cfg`.
public final class SGD {
  /// How a stretch of the arenas is treated: parameters of equal treatment that follow each other are one stretch.
  private struct Stretch {
    var range: Range<Int>
    var treatment: Treatment
  }
  /// The factor on the learning rate, and the weight decay, of a parameter.
  public struct Treatment: Equatable, Sendable {
    public var rateFactor: Float
    public var weightDecay: Float
  }

  public let configuration: OptimizerConfiguration
  /// Whether the momenta hold nothing yet: the first step takes the whole gradient, whatever the dampening. To be set
  /// to false when the momenta of an earlier run have been loaded.
  public var isFirstStep = true
  private let store: ParameterStore
  private let stretches: [Stretch]

  /// The store must be allocated, and must not be given other parameters later.
  public init(configuration: OptimizerConfiguration, store: ParameterStore) {
    (self.configuration, self.store) = (configuration, store)
    var stretches: [Stretch] = []
    for parameter in store.trainable {
      let treatment = Self.treatment(of: parameter, configuration, store)
      let end = parameter.offset + parameter.count
      if stretches.last?.treatment == treatment {
        stretches[stretches.count - 1].range = stretches.last!.range.lowerBound..<end
      } else {
        stretches.append(Stretch(range: parameter.offset..<end, treatment: treatment))
      }
    }
    self.stretches = stretches
  }

  /// mmcv's `DefaultOptimizerConstructor`: `norm_decay_mult` for the weights and biases of norms, `bias_lr_mult` and
  /// `bias_decay_mult` for other biases.
  public static func treatment(
    of parameter: Parameter, _ configuration: OptimizerConfiguration, _ store: ParameterStore
  ) -> Treatment {
    var treatment = Treatment(rateFactor: 1, weightDecay: configuration.weightDecay)
    if isOfNorm(parameter, store) {
      treatment.weightDecay *= configuration.normDecayMult
    } else if parameter.name == "bias" || parameter.name.hasSuffix(".bias") {
      treatment.rateFactor = configuration.biasLRMult
      treatment.weightDecay *= configuration.biasDecayMult
    }
    return treatment
  }

  /// Norms are the layers whose weight has one dimension.
  private static func isOfNorm(_ parameter: Parameter, _ store: ParameterStore) -> Bool {
    let weight = parameter.name.split(separator: ".").dropLast().joined(separator: ".") + ".weight"
    return store.parameters.contains { $0.name == weight && $0.shape.count == 1 }
  }

  /// The norm of all gradients together, which `clipGradients` goes by; nil without `grad_clip`.
  public func gradientNorm(_ workers: Workers) -> Double? {
    configuration.gradClip.map { VectorNorm.norm(store.gradients, store.trainableCount, p: $0.normType, workers) }
  }

  /// torch's `clip_grad_norm_`: multiplies the gradients by `max_norm / (norm + 1e-6)` if that is below 1. Nothing without
  /// `grad_clip`.
  /// - Parameter norm: their `gradientNorm`.
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
    for stretch in stretches {
      let step = SGDStep(
        rate: Float(learningRate * Double(stretch.treatment.rateFactor)), momentum: configuration.momentum,
        intake: isFirstStep ? 1 : 1 - configuration.dampening, weightDecay: stretch.treatment.weightDecay,
        nesterov: configuration.nesterov)
      let first = stretch.range.lowerBound
      step.update(
        store.values + first, store.gradients + first, store.momenta + first, stretch.range.count, workers)
    }
    isFirstStep = false
  }
}
