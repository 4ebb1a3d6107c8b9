import Tensors

/// A fully connected layer on rows `[N, in]`, torch's `Linear`: its parameters are `weight` and `bias`.
public struct Linear {
  private let weight: Parameter
  private let bias: Parameter

  /// `layout`: `.linearOnMap` for a layer that reads a flattened map. The bias starts at 0.
  public init(
    _ inFeatures: Int, _ outFeatures: Int, layout: ParameterLayout = .plain, initializer: Initializer,
    in scope: LayerScope
  ) {
    weight = scope.parameter("weight", shape: [outFeatures, inFeatures], layout: layout, initializer: initializer)
    bias = scope.parameter("bias", shape: [outFeatures], initializer: .constant(0))
  }

  /// `x`: `[N, in]`. Returns `[N, out]`; `relu` cuts it at zero.
  public func callAsFunction(_ x: Tensor, relu: Bool = false) -> Tensor {
    x.linear(weight, bias: bias, relu: relu)
  }
}
