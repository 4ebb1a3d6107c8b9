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
  case fpn(FPNConfiguration)

  func make(in scope: LayerScope) -> any Neck {
    switch self {
    case .fpn(let configuration): FPN(configuration, in: scope)
    }
  }

  /// Whether its norms gather statistics of the batch while training.
  public var usesBatchStatistics: Bool {
    switch self {
    case .fpn(let configuration): configuration.norm.map { !$0.isGroupNorm } ?? false
    }
  }

  /// The maps that it makes of a backbone's.
  public func levels(of backbone: [LevelShape]) -> [LevelShape] {
    switch self {
    case .fpn(let configuration): configuration.levels(of: backbone)
    }
  }
}
