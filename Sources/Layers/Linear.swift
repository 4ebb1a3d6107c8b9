import Tensors

/// A fully connected layer on rows `[N, in]`, torch's `Linear`: its parameters are `weight` and `bias`.
public struct Linear {
  private let weight: Parameter
  private let bias: Parameter

  /// - Parameters:
  ///   - inFeatures: the numbers of a row that it reads.
  ///   - outFeatures: the numbers of a row that it makes.
  ///   - layout: `.linearOnMap` for a layer that reads a flattened map.
  ///   - initializer: of the weights; biases start at 0.
  ///   - classRows: which outputs belong to which class of objects, where they do.
  ///   - scope: where the parameters stand.
  public init(
    _ inFeatures: Int, _ outFeatures: Int, layout: ParameterLayout = .plain, initializer: Initializer,
    classRows: ClassRows? = nil, in scope: LayerScope
  ) {
    weight = scope.parameter(
      "weight", shape: [outFeatures, inFeatures], layout: layout, initializer: initializer,
      classRows: classRows)
    bias = scope.parameter("bias", shape: [outFeatures], initializer: .constant(0), classRows: classRows)
  }

  /// `x`: `[N, in]`. Returns `[N, out]`; `relu` cuts it at zero.
  public func callAsFunction(_ x: Tensor, relu: Bool = false) -> Tensor {
    x.linear(weight, bias: bias, relu: relu)
  }
}
