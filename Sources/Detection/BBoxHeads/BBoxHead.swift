import Layers
import Tensors

/// `bbox_head`, type `BBoxHead`.
public struct PlainBBoxHeadConfiguration: Equatable, Sendable {
  /// Classifies the mean over a region's cells instead of all of them.
  public var withAvgPool = false

  public init() {}
}

/// The two last layers and nothing before them; mmdetection's plain `BBoxHead`.
struct BBoxHead: BoxHead {
  private let predictor: BoxPredictor
  private let withAvgPool: Bool

  init(_ plain: PlainBBoxHeadConfiguration, _ configuration: BBoxHeadConfiguration, in scope: LayerScope) {
    let (channels, side) = (configuration.inChannels, configuration.roiFeatSize)
    withAvgPool = plain.withAvgPool
    predictor = BoxPredictor(
      configuration, inFeatures: plain.withAvgPool ? channels : channels * side * side,
      layout: plain.withAvgPool ? .plain : .linearOnMap(channels: channels, height: side, width: side), in: scope)
  }

  func callAsFunction(_ features: Tensor) -> BBoxHeadOutput {
    predictor(withAvgPool ? features.averagePool() : features.flattened())
  }
}
