import Primitives
import Tensors

/// `norm_cfg`.
public enum NormConfiguration: Equatable, Sendable {
  /// `BN`: batch statistics of this rank. `requires_grad`: whether γ and β are trained.
  case batch(requiresGrad: Bool)
  /// `SyncBN`: batch statistics over all ranks.
  case syncBatch(requiresGrad: Bool)
  /// `GN`.
  case group(groups: Int, requiresGrad: Bool)
}

/// A normalisation layer: batch norm, synchronised batch norm or group norm, with the residual sum and the ReLU that
/// follow it in a residual block.
public struct Norm {
  private let parameters: NormParameters
  private let configuration: NormConfiguration
  private let usesBatchStatistics: Bool
  private let synchronizer: (any StatisticsSynchronizer)?

  /// - Parameters:
  ///   - configuration: `norm_cfg`.
  ///   - channels: of the map.
  ///   - scope: where the parameters stand, for example `backbone.layer1.0.bn1`.
  ///   - evaluates: batch norm normalises with its running statistics even in training (`norm_eval`).
  ///   - startsAtZero: γ starts at 0 (`zero_init_residual`).
  public init(
    _ configuration: NormConfiguration, channels: Int, in scope: LayerScope, evaluates: Bool,
    startsAtZero: Bool = false
  ) {
    self.configuration = configuration
    let trained = configuration.requiresGrad
    let weight = scope.parameter(
      "weight", shape: [channels], initializer: .constant(startsAtZero ? 0 : 1), isTrainable: trained)
    let bias = scope.parameter("bias", shape: [channels], initializer: .constant(0), isTrainable: trained)
    guard !configuration.isGroupNorm else {
      parameters = NormParameters(weight: weight, bias: bias)
      usesBatchStatistics = false
      synchronizer = nil
      return
    }
    parameters = NormParameters(
      weight: weight, bias: bias,
      runningMean: scope.parameter("running_mean", shape: [channels], initializer: .constant(0), isStatistic: true),
      runningVar: scope.parameter("running_var", shape: [channels], initializer: .constant(1), isStatistic: true))
    usesBatchStatistics = !evaluates && !scope.isFrozen
    synchronizer = configuration.isSynchronized ? scope.synchronizer : nil
  }

  /// `relu(norm(convolution(x)) + residual)`, each where asked for. Without a tape, batch norm uses its running
  /// statistics; with these it is folded into the convolution, which has no bias of its own.
  public func callAsFunction(
    _ convolution: Convolution2D, _ x: Tensor, residual: Tensor? = nil, relu: Bool = false
  ) throws -> Tensor {
    if case .group(let groups, _) = configuration {
      return convolution(x).groupNorm(parameters, groups: groups, residual: residual, relu: relu)
    }
    if usesBatchStatistics, x.engine.tape != nil {
      return try convolution(x).batchNorm(parameters, residual: residual, relu: relu, synchronizer: synchronizer)
    }
    require(
      convolution.bias == nil, "\(convolution.name) stands before \(parameters.weight.name) and has a bias")
    return x.convolution(
      convolution.weight(on: x.engine), frozenNorm: parameters, convolution.geometry, residual: residual, relu: relu)
  }
}

extension NormConfiguration {
  public var requiresGrad: Bool {
    switch self {
    case .batch(let requiresGrad), .syncBatch(let requiresGrad), .group(_, let requiresGrad): requiresGrad
    }
  }

  /// The name that mmcv gives a layer of this type: `bn` or `gn`.
  public var abbreviation: String { isGroupNorm ? "gn" : "bn" }

  public var isGroupNorm: Bool { if case .group = self { true } else { false } }
  var isSynchronized: Bool { if case .syncBatch = self { true } else { false } }
}
