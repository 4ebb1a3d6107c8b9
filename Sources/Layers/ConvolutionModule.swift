import Tensors

/// mmcv's `ConvModule`: a convolution whose map keeps its size at stride 1, then a norm where there is one (the
/// convolution then has no bias), then ReLU where it is wanted. Its parameters are `conv.weight`, `conv.bias` and
/// those of `bn` or `gn`.
public struct ConvolutionModule {
  private let convolution: Convolution2D
  private let norm: Norm?
  private let relu: Bool

  /// - Parameters:
  ///   - inChannels: of the map that it reads.
  ///   - outChannels: of the map that it makes.
  ///   - kernel: in cells, odd.
  ///   - stride: in cells, along both axes.
  ///   - norm: nil: none, and the convolution has a bias. Batch norms use the batch's statistics while training.
  ///   - relu: whether a ReLU follows.
  ///   - configuration: `conv_cfg`.
  ///   - initializer: of the weights; mmcv's own is Kaiming's.
  ///   - startsAtZero: the norm's γ starts at 0.
  ///   - scope: where the parameters stand.
  public init(
    _ inChannels: Int, _ outChannels: Int, kernel: Int, stride: Int = 1, norm: NormConfiguration?, relu: Bool,
    convolution configuration: ConvolutionConfiguration = .conv2D,
    initializer: Initializer = .kaimingNormal(fanOut: true), startsAtZero: Bool = false, in scope: LayerScope
  ) {
    self.relu = relu
    convolution = Convolution2D(
      inChannels, outChannels, kernel: kernel, stride: stride, padding: kernel / 2, configuration: configuration,
      hasBias: norm == nil, initializer: initializer, in: scope.scope("conv"))
    self.norm = norm.map {
      Norm(
        $0, channels: outChannels, in: scope.scope($0.abbreviation), evaluates: false, startsAtZero: startsAtZero)
    }
  }

  /// `x`: `[N, H, W, in]`; N may be 0. Returns `[N, H', W', out]`.
  /// - Parameters:
  ///   - x: `[N, H, W, in]`; N may be 0.
  ///   - residual: added before the ReLU, which then is that of the sum; only with a norm.
  ///   - relu: whether a ReLU follows; nil: as the module was made.
  public func callAsFunction(_ x: Tensor, residual: Tensor? = nil, relu: Bool? = nil) throws -> Tensor {
    let relu = relu ?? self.relu
    return try norm?(convolution, x, residual: residual, relu: relu) ?? convolution(x, relu: relu)
  }
}
