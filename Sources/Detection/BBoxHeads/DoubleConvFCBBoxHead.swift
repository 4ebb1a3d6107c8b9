import Layers
import Primitives
import Tensors

/// The layers of a `bbox_head` of type `DoubleConvFCBBoxHead`.
public struct DoubleConvFCConfiguration: Equatable, Sendable {
  public var numConvs = 1
  public var numFcs = 1
  /// A multiple of 4.
  public var convOutChannels = 1024
  public var fcOutChannels = 1024
  /// Of the bottlenecks; the block before them always has `BN`, as in mmdetection.
  public var norm = NormConfiguration.batch(requiresGrad: true)
  /// `conv_cfg`, of the bottlenecks.
  public var convolution = ConvolutionConfiguration.conv2D

  public init() {}
}

/// Convolutions for the deltas and fully connected layers for the scores (Wu et al., "Rethinking classification and
/// localization for object detection"): mmdetection's `DoubleConvFCBBoxHead`. The convolutions look at enlarged regions.
struct DoubleConvFCBBoxHead: BoxHead {
  private let widening: WideningBlock
  private let convs: ResLayer
  private let regressor: Linear
  private let fcs: [Linear]
  private let classifier: Linear

  init(_ layers: DoubleConvFCConfiguration, _ configuration: BBoxHeadConfiguration, in scope: LayerScope) {
    let (inChannels, channels) = (configuration.inChannels, layers.convOutChannels)
    widening = WideningBlock(inChannels, channels, in: scope.scope("res_block"))
    var blocks = ResLayerConfiguration(
      block: .bottleneck, blocks: layers.numConvs, inChannels: channels, innerChannels: channels / 4,
      outChannels: channels)
    (blocks.norm, blocks.normEval, blocks.convolution) = (layers.norm, false, layers.convolution)
    convs = ResLayer(blocks, in: scope.scope("conv_branch"))
    regressor = configuration.regressor(channels, in: scope)
    let area = configuration.roiFeatSize * configuration.roiFeatSize
    fcs = (0..<layers.numFcs).map { index in
      Linear(
        index == 0 ? inChannels * area : layers.fcOutChannels, layers.fcOutChannels,
        layout: index == 0 ? configuration.layout(channels: inChannels) : .plain, initializer: .xavierUniform,
        in: scope.scope("fc_branch.\(index)"))
    }
    classifier = configuration.classifier(layers.fcOutChannels, in: scope)
  }

  func callAsFunction(_ features: Tensor, stretched: Tensor?) throws -> BBoxHeadOutput {
    guard let stretched else { bug("a DoubleConvFCBBoxHead got the features of one kind of regions") }
    let map = try convs(try widening(stretched))
    var row = features.flattened()
    for layer in fcs { row = layer(row, relu: true) }
    return BBoxHeadOutput(scores: classifier(row), deltas: regressor(map.averagePool()))
  }
}

/// mmdetection's `BasicResBlock`: a 3×3 and a 1×1 convolution beside another 1×1 one, each with `BN`.
private struct WideningBlock {
  private let first: ConvolutionModule
  private let second: ConvolutionModule
  private let identity: ConvolutionModule

  init(_ inChannels: Int, _ outChannels: Int, in scope: LayerScope) {
    func layer(_ channels: Int, kernel: Int, _ name: String, relu: Bool = false) -> ConvolutionModule {
      ConvolutionModule(
        inChannels, channels, kernel: kernel, norm: .batch(requiresGrad: true), relu: relu, in: scope.scope(name))
    }
    first = layer(inChannels, kernel: 3, "conv1", relu: true)
    second = layer(outChannels, kernel: 1, "conv2")
    identity = layer(outChannels, kernel: 1, "conv_identity")
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    try second(try first(x), residual: try identity(x), relu: true)
  }
}
