import Layers

/// `roi_head.shared_head`, type `ResLayer`: a stage of a ResNet between the extractor and the box head (C4).
public struct SharedHeadConfiguration: Equatable, Sendable {
  /// Which stage of its ResNet it is, from 0 on: its parameters are called so, `layer4` for 3.
  public var stage: Int
  public var layer: ResLayerConfiguration

  public init(stage: Int, layer: ResLayerConfiguration) { (self.stage, self.layer) = (stage, layer) }

  /// - Parameter scope: the RoI head's.
  func make(in scope: LayerScope) -> ResLayer {
    ResLayer(layer, in: scope.scope("shared_head").scope("layer\(stage + 1)"))
  }

  /// The side of the map that it makes of one.
  public func outputSize(of size: Int) -> Int { (size + layer.stride - 1) / layer.stride }
}
