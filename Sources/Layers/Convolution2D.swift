import Primitives
import Tensors

/// A square convolution on `[N, H, W, in]` maps, torch's `Conv2d`: its parameters are `weight` and, if wanted, `bias`, which
/// starts at 0.
public struct Convolution2D {
  let weight: Parameter
  let bias: Parameter?
  let stride: Int
  let padding: Int

  /// `kernel`, `stride` and `padding` in cells, along both axes.
  public init(
    _ inChannels: Int, _ outChannels: Int, kernel: Int, stride: Int = 1, padding: Int = 0, hasBias: Bool,
    initializer: Initializer, in scope: LayerScope
  ) {
    (self.stride, self.padding) = (stride, padding)
    weight = scope.parameter(
      "weight", shape: [outChannels, inChannels, kernel, kernel], layout: .convolution, initializer: initializer)
    bias = hasBias ? scope.parameter("bias", shape: [outChannels], initializer: .constant(0)) : nil
  }

  /// The layer on several maps at some cells alone, with its ReLU; see `Tensor.convolution(of:at:)`. It has a bias and
  /// stride 1.
  public func callAsFunction(_ maps: [Tensor], at cells: [[Int32]], relu: Bool) -> Tensor {
    guard let bias, stride == 1 else { bug("\(weight.name) has stride \(stride) and \(bias == nil ? "no" : "a") bias") }
    return Tensor.convolution(of: maps, at: cells, weight, bias: bias, padding: padding, relu: relu)
  }

  /// The layer as a linear one, of a kernel of one pixel: `x` `[N, in]`, returns `[N, out]`.
  public func onRows(_ x: Tensor) -> Tensor {
    let rows = x.reshaped([x.shape[0], 1, 1, x.shape[1]])
    return self(rows).reshaped([x.shape[0], weight.shape[0]])
  }

  /// `x`: `[N, H, W, in]`. Returns `[N, H', W', out]`; `relu` cuts it at zero.
  public func callAsFunction(_ x: Tensor, relu: Bool = false) -> Tensor {
    x.convolution(weight, bias: bias, stride: stride, padding: padding, relu: relu)
  }
}
