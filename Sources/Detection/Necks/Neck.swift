import Layers
import Tensors

/// Merges a backbone's maps into the pyramid that the heads look at.
public protocol Neck {
  /// - Parameter maps: the backbone's, finest first.
  /// - Returns: the pyramid, finest first.
  func callAsFunction(_ maps: [Tensor]) throws -> [Tensor]
}

/// `model.neck`.
public enum NeckConfiguration: Equatable, Sendable {
  /// `FPN`; `PAFPN` is a case of it.
  case fpn(FPNConfiguration)
  case bfp(BFPConfiguration)
  /// A list: each takes what the one before gives.
  case sequence([NeckConfiguration])

  package func make(in scope: LayerScope) -> any Neck {
    switch self {
    case .fpn(let configuration): FPN(configuration, in: scope)
    case .bfp(let configuration): BFP(configuration, in: scope)
    case .sequence(let parts):
      NeckSequence(parts: parts.enumerated().map { $1.make(in: scope.scope("\($0)")) })
    }
  }

  /// Whether its norms gather statistics of the batch while training.
  public var usesBatchStatistics: Bool {
    switch self {
    case .fpn(let configuration): configuration.norm.map { !$0.isGroupNorm } ?? false
    case .bfp(let configuration):
      configuration.refineType != .none && configuration.norm.map { !$0.isGroupNorm } ?? false
    case .sequence(let parts): parts.contains(where: \.usesBatchStatistics)
    }
  }

  /// The maps that it makes of a backbone's.
  public func levels(of backbone: [LevelShape]) -> [LevelShape] {
    switch self {
    case .fpn(let configuration): configuration.levels(of: backbone)
    case .bfp: backbone
    case .sequence(let parts): parts.reduce(backbone) { $1.levels(of: $0) }
    }
  }
}

/// Several necks, one behind the other.
private struct NeckSequence: Neck {
  let parts: [any Neck]

  func callAsFunction(_ maps: [Tensor]) throws -> [Tensor] {
    var maps = maps
    for part in parts { maps = try part(maps) }
    return maps
  }
}
