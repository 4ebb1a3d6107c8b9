import Tensors

/// The factor on the learning rate, and the weight decay, of a parameter.
public struct ParameterTreatment: Equatable, Sendable {
  public var rateFactor: Float
  public var weightDecay: Float
}

/// `paramwise_cfg` by the rules of mmcv's `DefaultOptimizerConstructor`.
public struct ParameterTreatments {
  private let configuration: OptimizerConfiguration
  /// The longest first, those of one length in alphabetical order.
  private let customKeys: [CustomKey]
  /// The shapes of the weights, by their names.
  private let weights: [String: [Int]]

  public init(_ configuration: OptimizerConfiguration, _ store: ParameterStore) {
    self.configuration = configuration
    customKeys = configuration.customKeys.sorted { one, other in
      let lengths = (one.key.unicodeScalars.count, other.key.unicodeScalars.count)
      guard lengths.0 == lengths.1 else { return lengths.0 > lengths.1 }
      return one.key.unicodeScalars.lexicographicallyPrecedes(other.key.unicodeScalars)
    }
    let pairs = store.parameters.filter { $0.name.hasSuffix("weight") }.map { ($0.name, $0.shape) }
    weights = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
  }

  /// The first of `custom_keys` that is a part of the name decides alone. Else `norm_decay_mult` is for the weights and biases
  /// of norms, `dwconv_decay_mult` for those of depthwise convolutions, `bias_lr_mult` and `bias_decay_mult` for other biases.
  public func treatment(of parameter: Parameter) -> ParameterTreatment {
    var treatment = ParameterTreatment(rateFactor: 1, weightDecay: configuration.decay)
    if let custom = customKeys.first(where: { parameter.name.contains($0.key) }) {
      treatment.rateFactor = custom.lrMult
      treatment.weightDecay *= custom.decayMult
      return treatment
    }
    let isBias = parameter.name == "bias" || parameter.name.hasSuffix(".bias")
    let kind = kind(of: parameter)
    if isBias, kind != .norm { treatment.rateFactor = configuration.biasLRMult }
    switch kind {
    case .norm: treatment.weightDecay *= configuration.normDecayMult
    case .depthwiseConvolution: treatment.weightDecay *= configuration.dwconvDecayMult
    case .other: if isBias { treatment.weightDecay *= configuration.biasDecayMult }
    }
    return treatment
  }

  /// The custom keys that are a part of no trainable parameter's name.
  public func unusedKeys(in store: ParameterStore) -> [String] {
    let used = store.trainable.compactMap { parameter in
      customKeys.first { parameter.name.contains($0.key) }?.key
    }
    return customKeys.map(\.key).filter { !used.contains($0) }
  }

  private enum Kind { case norm, depthwiseConvolution, other }

  /// Norms are the layers whose weight has one dimension; depthwise convolutions have a weight of one input channel.
  private func kind(of parameter: Parameter) -> Kind {
    let layer = parameter.name.lastIndex(of: ".").map { parameter.name[...$0] } ?? ""
    guard let shape = weights["\(layer)weight"] else { return .other }
    if shape.count == 1 { return .norm }
    return shape.count == 4 && shape[1] == 1 ? .depthwiseConvolution : .other
  }
}
