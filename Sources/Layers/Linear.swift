import Tensors

/// A fully connected layer on rows `[N, in]`.
public struct Linear {
  private let weight: Parameter
  private let bias: Parameter

  /// `layout`: `.linearOnMap` for a layer that reads a flattened map.
  public init(
    _ inFeatures: Int, _ outFeatures: Int, layout: ParameterLayout = .plain, initializer: Initializer,
    in scope: LayerScope
  ) {
    weight = scope.parameter("weight", shape: [outFeatures, inFeatures], layout: layout, initializer: initializer)
    bias = scope.parameter("bias", shape: [outFeatures], initializer: .constant(0))
  }

  /// `x`: `[N, in]`. Returns `[N, out]`; `relu` cuts it at zero. `consumesInput`: no other layer's backward pass needs
  /// the values of `x`.
  public func callAsFunction(_ x: Tensor, relu: Bool = false, consumesInput: Bool = false) -> Tensor {
    x.linear(weight, bias: bias, relu: relu, consumesInput: consumesInput)
  }
}
