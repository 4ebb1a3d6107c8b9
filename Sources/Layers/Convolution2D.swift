import Tensors

/// A square convolution on `[N, H, W, in]` maps.
public struct Convolution2D {
  let weight: Parameter
  let bias: Parameter?
  let stride: Int
  let padding: Int

  public init(
    _ inChannels: Int, _ outChannels: Int, kernel: Int, stride: Int = 1, padding: Int = 0, hasBias: Bool,
    initializer: Initializer, in scope: LayerScope
  ) {
    (self.stride, self.padding) = (stride, padding)
    weight = scope.parameter(
      "weight", shape: [outChannels, inChannels, kernel, kernel], layout: .convolution, initializer: initializer)
    bias = hasBias ? scope.parameter("bias", shape: [outChannels], initializer: .constant(0)) : nil
  }

  /// `x`: `[N, H, W, in]`. Returns `[N, H', W', out]`; `relu` cuts it at zero.
  public func callAsFunction(_ x: Tensor, relu: Bool = false) -> Tensor {
    x.convolution(weight, bias: bias, stride: stride, padding: padding, relu: relu)
  }
}
