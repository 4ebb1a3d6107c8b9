import Kernels
import Layers
import Tensors

/// Cuts the features of regions out of the neck's maps.
public protocol RoIExtractor {
  /// - Parameters:
  ///   - levels: the neck's maps, finest first.
  ///   - regions: may be none.
  ///   - scaleFactor: mmdetection's `roi_scale_factor`: stretches the regions about their centres, after what is chosen
  ///     by their size was chosen; nil: 1. As there, a pyramid of one level takes them as they are.
  ///   - engine: where the features are computed.
  /// - Returns: `[regions, height, width, channels]`.
  func callAsFunction(
    _ levels: [Tensor], regions: [RegionOfInterest], scaleFactor: Float?, on engine: Engine
  ) throws -> Tensor
}

extension RoIExtractor {
  /// The regions as they are.
  public func callAsFunction(_ levels: [Tensor], regions: [RegionOfInterest], on engine: Engine) throws -> Tensor {
    try self(levels, regions: regions, scaleFactor: nil, on: engine)
  }
}

/// `bbox_roi_extractor`.
public enum RoIExtractorConfiguration: Equatable, Sendable {
  case single(SingleRoIExtractorConfiguration)
  case generic(GenericRoIExtractorConfiguration)

  package func make(keepLevelsInGraph: Bool, in scope: LayerScope) -> any RoIExtractor {
    switch self {
    case .single(let configuration):
      SingleRoIExtractor(configuration: configuration, keepLevelsInGraph: keepLevelsInGraph)
    case .generic(let configuration):
      GenericRoIExtractor(configuration, keepLevelsInGraph: keepLevelsInGraph, in: scope)
    }
  }

  /// How regions are cut out of which maps.
  public var cut: SingleRoIExtractorConfiguration {
    switch self {
    case .single(let configuration): configuration
    case .generic(let configuration): configuration.cut
    }
  }

  /// The channels of what it gives, if the pyramid has `channels`.
  public func outChannels(of channels: Int) -> Int {
    switch self {
    case .single: channels
    case .generic(let configuration): configuration.outChannels(of: channels)
    }
  }

  /// Whether its norms gather statistics of the batch while training.
  public var usesBatchStatistics: Bool {
    switch self {
    case .single: false
    case .generic(let configuration):
      [configuration.pre, configuration.post].contains { $0?.norm.map { !$0.isGroupNorm } ?? false }
    }
  }
}
