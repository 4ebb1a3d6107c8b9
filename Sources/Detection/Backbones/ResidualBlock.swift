import Layers
import Tensors

/// A residual block: two 3×3 convolutions (`BasicBlock`), or 1×1, 3×3, 1×1 (`Bottleneck`).
struct ResidualBlock {
  struct Shape {
    let inChannels: Int
    let planes: Int
    let stride: Int
    /// 4 for a bottleneck, 1 for a basic block.
    let expansion: Int

    var outChannels: Int { planes * expansion }
    var needsProjection: Bool { stride != 1 || inChannels != outChannels }
  }

  private let layers: [(convolution: Convolution2D, norm: Norm)]
  private let projection: (convolution: Convolution2D, norm: Norm)?

  init(_ shape: Shape, _ configuration: ResNetConfiguration, in scope: LayerScope) {
    func layer(
      _ inChannels: Int, _ outChannels: Int, kernel: Int, stride: Int, names: (String, String), isLast: Bool = false
    ) -> (Convolution2D, Norm) {
      (
        Convolution2D(
          inChannels, outChannels, kernel: kernel, stride: stride, padding: kernel / 2, hasBias: false,
          initializer: .kaimingNormal(fanOut: true), in: scope.scope(names.0)),
        Norm(
          configuration.norm, channels: outChannels, in: scope.scope(names.1), evaluates: configuration.normEval,
          startsAtZero: isLast && configuration.zeroInitResidual)
      )
    }
    let abbreviation = configuration.norm.abbreviation
    func names(_ index: Int) -> (String, String) { ("conv\(index)", "\(abbreviation)\(index)") }
    let (planes, stride) = (shape.planes, shape.stride)
    projection =
      shape.needsProjection
      ? layer(shape.inChannels, shape.outChannels, kernel: 1, stride: stride, names: ("downsample.0", "downsample.1"))
      : nil
    if shape.expansion > 1 {
      let stridesFirst = configuration.style == .caffe
      layers = [
        layer(shape.inChannels, planes, kernel: 1, stride: stridesFirst ? stride : 1, names: names(1)),
        layer(planes, planes, kernel: 3, stride: stridesFirst ? 1 : stride, names: names(2)),
        layer(planes, shape.outChannels, kernel: 1, stride: 1, names: names(3), isLast: true),
      ]
    } else {
      layers = [
        layer(shape.inChannels, planes, kernel: 3, stride: stride, names: names(1)),
        layer(planes, planes, kernel: 3, stride: 1, names: names(2), isLast: true),
      ]
    }
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    let identity = try projection.map { try $0.norm($0.convolution, x) } ?? x
    var y = x
    for layer in layers.dropLast() { y = try layer.norm(layer.convolution, y, relu: true) }
    let last = layers[layers.count - 1]
    return try last.norm(last.convolution, y, residual: identity, relu: true)
  }
}
