import Layers
import Tensors

/// `bbox_head`, type `Shared2FCBBoxHead`.
public struct SharedFCsConfiguration: Equatable, Sendable {
  public var fcOutChannels = 1024
  public var numSharedFcs = 2

  public init() {}
}

/// Fully connected layers with ReLU, then one for the classes and one for the deltas. mmdetection's
/// `Shared2FCBBoxHead`.
struct Shared2FCBBoxHead: BoxHead {
  private let shared: [Linear]
  private let predictor: BoxPredictor

  init(_ layers: SharedFCsConfiguration, _ configuration: BBoxHeadConfiguration, in scope: LayerScope) {
    let side = configuration.roiFeatSize
    let (channels, width) = (configuration.inChannels, layers.fcOutChannels)
    shared = (0..<layers.numSharedFcs).map { index in
      let scope = scope.scope("shared_fcs.\(index)")
      guard index == 0 else { return Linear(width, width, initializer: .xavierUniform, in: scope) }
      return Linear(
        channels * side * side, width, layout: .linearOnMap(channels: channels, height: side, width: side),
        initializer: .xavierUniform, in: scope)
    }
    predictor = BoxPredictor(configuration, inFeatures: width, in: scope)
  }

  func callAsFunction(_ features: Tensor) -> BBoxHeadOutput {
    var x = features.flattened()
    for layer in shared { x = layer(x, relu: true) }
    return predictor(x)
  }
}
