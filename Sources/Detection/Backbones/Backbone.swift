import Layers
import Tensors

/// Turns pictures into maps of features.
public protocol Backbone {
  /// - Parameter images: `[N, H, W, 3]`.
  /// - Returns: a map `[N, H / stride, W / stride, channels]` for each of the configuration's levels, finest first.
  func callAsFunction(_ images: Tensor) throws -> [Tensor]
}

/// The shape of a level of maps, whatever the size of the picture.
public struct LevelShape: Equatable, Sendable {
  public let channels: Int
  /// Pixels of the picture between two cells.
  public let stride: Int

  public init(channels: Int, stride: Int) { (self.channels, self.stride) = (channels, stride) }
}

/// `model.backbone`.
public enum BackboneConfiguration: Equatable, Sendable {
  case resNet(ResNetConfiguration)

  /// - Parameter recomputing: stages, from 1 on, whose maps are computed again in the backward pass instead of being
  ///   kept (`mpi.recompute`).
  func make(in scope: LayerScope, recomputing: [Int]) -> any Backbone {
    switch self {
    case .resNet(let configuration): ResNet(configuration, in: scope, recomputing: recomputing)
    }
  }

  /// The maps that it gives.
  public var levels: [LevelShape] {
    switch self {
    case .resNet(let configuration): configuration.levels
    }
  }

  public var numStages: Int {
    switch self {
    case .resNet(let configuration): configuration.numStages
    }
  }

  /// Stages that are not trained: -1 none, 0 the stem, 1 the stem and the first stage, …
  public var frozenStages: Int {
    switch self {
    case .resNet(let configuration): configuration.frozenStages
    }
  }

  /// Whether its norms gather statistics of the batch while training.
  public var usesBatchStatistics: Bool {
    switch self {
    case .resNet(let configuration): configuration.usesBatchStatistics
    }
  }
}
