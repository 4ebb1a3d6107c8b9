import Layers
import Tensors

/// Backbone and neck: what makes the maps that the heads look at.
package struct FeatureExtractor {
  package let backbone: any Backbone
  /// nil: the heads look at the backbone's maps.
  package let neck: (any Neck)?

  init(_ configuration: TwoStageConfiguration, in scope: LayerScope) {
    backbone = configuration.backbone.make(in: scope.scope("backbone"), recomputing: configuration.recompute)
    neck = configuration.neck?.make(in: scope.scope("neck"))
  }

  /// - Parameter images: `[N, H, W, 3]`.
  /// - Returns: maps `[N, H / stride, W / stride, channels]`, finest first.
  package func callAsFunction(_ images: Tensor) throws -> [Tensor] {
    let maps = try backbone(images)
    return try neck?(maps) ?? maps
  }
}
