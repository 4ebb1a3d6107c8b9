import Layers
import Tensors

/// A residual block: two 3×3 convolutions (`BasicBlock`), or 1×1, 3×3, 1×1 (`Bottleneck`).
struct ResidualBlock {
  private typealias Layer = (convolution: Convolution2D, norm: Norm)

  private let layers: [Layer]
  private let projection: Layer?
  /// The cells on each side over which the projection averages first.
  private let averaged: Int

  /// - Parameter isFirst: the block has the stage's stride and input channels.
  init(_ stage: ResLayerConfiguration, isFirst: Bool, in scope: LayerScope) {
    func layer(
      _ inChannels: Int, _ outChannels: Int, kernel: Int, stride: Int = 1, dilation: Int = 1, groups: Int = 1,
      names: (String, String), isLast: Bool = false
    ) -> Layer {
      (
        Convolution2D(
          inChannels, outChannels, kernel: kernel, stride: stride, padding: kernel / 2 * dilation, dilation: dilation,
          groups: groups, configuration: stage.convolution, hasBias: false,
          initializer: .kaimingNormal(fanOut: true), in: scope.scope(names.0)),
        Norm(
          stage.norm, channels: outChannels, in: scope.scope(names.1), evaluates: stage.normEval,
          startsAtZero: isLast && stage.zeroInitResidual)
      )
    }
    let abbreviation = stage.norm.abbreviation
    func names(_ index: Int) -> (String, String) { ("conv\(index)", "\(abbreviation)\(index)") }
    let (inner, out) = (stage.innerChannels, stage.outChannels)
    let (input, stride) = isFirst ? (stage.inChannels, stage.stride) : (out, 1)
    averaged = stage.avgDown ? stride : 1
    // mmdetection's list has the pooling before the convolution, be it of one cell.
    let place = stage.avgDown ? 1 : 0
    projection =
      stride != 1 || input != out
      ? layer(
        input, out, kernel: 1, stride: stage.avgDown ? 1 : stride,
        names: ("downsample.\(place)", "downsample.\(place + 1)")) : nil
    switch stage.block {
    case .bottleneck:
      let stridesFirst = stage.style == .caffe
      layers = [
        layer(input, inner, kernel: 1, stride: stridesFirst ? stride : 1, names: names(1)),
        layer(
          inner, inner, kernel: 3, stride: stridesFirst ? 1 : stride, dilation: stage.dilation, groups: stage.groups,
          names: names(2)),
        layer(inner, out, kernel: 1, names: names(3), isLast: true),
      ]
    case .basic:
      layers = [
        layer(input, inner, kernel: 3, stride: stride, dilation: stage.dilation, names: names(1)),
        layer(inner, out, kernel: 3, names: names(2), isLast: true),
      ]
    }
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    let identity = try projection.map { try $0.norm($0.convolution, x.averagePool(cells: averaged)) } ?? x
    var y = x
    for layer in layers.dropLast() { y = try layer.norm(layer.convolution, y, relu: true) }
    let last = layers[layers.count - 1]
    return try last.norm(last.convolution, y, residual: identity, relu: true)
  }
}
