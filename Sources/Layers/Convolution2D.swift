import Primitives
import Tensors

/// `conv_cfg`.
public enum ConvolutionConfiguration: String, Equatable, Sendable {
  /// An ordinary convolution, mmcv's `Conv2d`.
  case conv2D
  /// One whose weights are standardised each time (weight standardisation, Qiao et al., 2019), mmcv's `ConvWS`.
  case convWS
}

/// A square convolution on `[N, H, W, in]` maps, torch's `Conv2d`: its parameters are `weight`, `[out, in / groups, kernel,
/// kernel]`, and, if wanted, `bias`, which starts at 0.
public struct Convolution2D {
  private let parameter: Parameter
  private let configuration: ConvolutionConfiguration
  let bias: Parameter?
  let geometry: ConvolutionGeometry

  /// `kernel`, `stride`, `padding` and `dilation` in cells, along both axes.
  public init(
    _ inChannels: Int, _ outChannels: Int, kernel: Int, stride: Int = 1, padding: Int = 0, dilation: Int = 1,
    groups: Int = 1, configuration: ConvolutionConfiguration = .conv2D, hasBias: Bool, initializer: Initializer,
    in scope: LayerScope
  ) {
    self.configuration = configuration
    geometry = ConvolutionGeometry(stride: stride, padding: padding, dilation: dilation, groups: groups)
    parameter = scope.parameter(
      "weight", shape: [outChannels, inChannels / groups, kernel, kernel], layout: .convolution,
      initializer: initializer)
    bias = hasBias ? scope.parameter("bias", shape: [outChannels], initializer: .constant(0)) : nil
  }

  var name: String { parameter.name }

  /// What a map is convolved with.
  func weight(on engine: Engine) -> ConvolutionWeight {
    switch configuration {
    case .conv2D: ConvolutionWeight(parameter)
    case .convWS: .standardized(parameter, on: engine)
    }
  }

  /// The layer on several maps at some cells alone, with its ReLU; see `Tensor.convolution(of:at:)`. It has a bias and
  /// stride 1, and neither dilation nor groups.
  public func callAsFunction(_ maps: [Tensor], at cells: [[Int32]], relu: Bool) -> Tensor {
    let padding = geometry.padding
    guard let bias, geometry == ConvolutionGeometry(padding: padding), configuration == .conv2D else {
      bug("\(name) is a \(configuration) with \(geometry) and \(bias == nil ? "no" : "a") bias")
    }
    return Tensor.convolution(of: maps, at: cells, parameter, bias: bias, padding: padding, relu: relu)
  }

  /// The layer as a linear one, of a kernel of one pixel: `x` `[N, in]`, returns `[N, out]`.
  public func onRows(_ x: Tensor) -> Tensor {
    let rows = x.reshaped([x.shape[0], 1, 1, x.shape[1]])
    return self(rows).reshaped([x.shape[0], parameter.shape[0]])
  }

  /// `x`: `[N, H, W, in]`. Returns `[N, H', W', out]`; `relu` cuts it at zero.
  public func callAsFunction(_ x: Tensor, relu: Bool = false) -> Tensor {
    x.convolution(weight(on: x.engine), bias: bias, geometry, relu: relu)
  }
}
