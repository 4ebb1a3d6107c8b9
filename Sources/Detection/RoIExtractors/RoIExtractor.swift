import Kernels
import Tensors

/// Cuts the features of regions out of the neck's maps.
public protocol RoIExtractor {
  /// - Parameters:
  ///   - levels: the neck's maps, finest first.
  ///   - regions: may be none.
  /// - Returns: `[regions, height, width, channels]`.
  func callAsFunction(_ levels: [Tensor], regions: [RegionOfInterest], on engine: Engine) -> Tensor
}

/// `bbox_roi_extractor`.
public enum RoIExtractorConfiguration: Equatable, Sendable {
  case single(SingleRoIExtractorConfiguration)

  func make(keepLevelsInGraph: Bool) -> any RoIExtractor {
    switch self {
    case .single(let configuration):
      SingleRoIExtractor(configuration: configuration, keepLevelsInGraph: keepLevelsInGraph)
    }
  }
}
