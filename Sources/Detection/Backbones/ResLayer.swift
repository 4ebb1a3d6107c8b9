import Layers
import Primitives
import Tensors

/// A stage of residual blocks.
public struct ResLayerConfiguration: Equatable, Sendable {
  public enum Block: Sendable {
    /// Two 3×3 convolutions.
    case basic
    /// 1×1, 3×3, 1×1.
    case bottleneck
  }
  public var block: Block
  /// The number of blocks.
  public var blocks: Int
  public var inChannels: Int
  /// The channels between a block's first and last convolution.
  public var innerChannels: Int
  public var outChannels: Int
  /// Of the first block.
  public var stride = 1
  /// Of the 3×3 convolutions; of a basic block's first one.
  public var dilation = 1
  /// Of a bottleneck's 3×3 convolution.
  public var groups = 1
  public var style = ResNetConfiguration.Style.pytorch
  /// The projection averages over `stride` × `stride` cells and has no stride itself.
  public var avgDown = false
  /// `conv_cfg`.
  public var convolution = ConvolutionConfiguration.conv2D
  public var norm = NormConfiguration.batch(requiresGrad: true)
  /// Batch norm normalises with its running statistics even in training.
  public var normEval = true
  /// A block's last γ starts at 0.
  public var zeroInitResidual = false

  public init(block: Block, blocks: Int, inChannels: Int, innerChannels: Int, outChannels: Int) {
    (self.block, self.blocks, self.inChannels) = (block, blocks, inChannels)
    (self.innerChannels, self.outChannels) = (innerChannels, outChannels)
  }

  /// Stage `stage`, from 0 on, of the ResNet of a depth.
  ///
  /// - Parameters:
  ///   - depth: of the ResNet: one that `ResNetConfiguration.blockCounts` knows.
  ///   - stage: from 0 on.
  ///   - inChannels: nil: as many as the stage before has, which isn't the first.
  ///   - baseChannels: the inner channels of stage 0; each further stage has twice as many.
  public init(depth: Int, stage: Int, inChannels: Int? = nil, baseChannels: Int = 64) {
    guard let counts = ResNetConfiguration.blockCounts(depth: depth) else {
      bug("there is no ResNet of depth \(depth)")
    }
    let (expansion, planes) = (depth >= 50 ? 4 : 1, baseChannels << stage)
    self.init(
      block: depth >= 50 ? .bottleneck : .basic, blocks: counts[stage],
      inChannels: inChannels ?? planes / 2 * expansion, innerChannels: planes, outChannels: planes * expansion)
  }

  /// Whether its norms gather statistics of the batch while training.
  public var usesBatchStatistics: Bool { !norm.isGroupNorm && !normEval }
}

/// mmdetection's `ResLayer`: the blocks `0`, `1`, … of a stage (He et al., 2016), of which the first may change the map's
/// size and channels.
public struct ResLayer {
  private let blocks: [ResidualBlock]
  /// The parameters that it trains.
  let trained: [Parameter]

  /// - Parameters:
  ///   - configuration: the number of blocks, and how they are built.
  ///   - scope: where the blocks stand, for example `backbone.layer1`.
  public init(_ configuration: ResLayerConfiguration, in scope: LayerScope) {
    let first = scope.store.parameters.count
    blocks = (0..<configuration.blocks).map {
      ResidualBlock(configuration, isFirst: $0 == 0, in: scope.scope("\($0)"))
    }
    trained = scope.store.parameters[first...].filter(\.isTrainable)
  }

  /// `x`: `[N, H, W, in]`. Returns `[N, ⌈H / stride⌉, ⌈W / stride⌉, out]`.
  public func callAsFunction(_ x: Tensor) throws -> Tensor { try blocks.reduce(x) { try $1($0) } }
}
