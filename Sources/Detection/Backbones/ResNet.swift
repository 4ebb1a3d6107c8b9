import Layers
import Primitives
import Tensors

/// `model.backbone`, type `ResNet`.
public struct ResNetConfiguration: Equatable, Sendable {
  public enum Style: String, Sendable, CaseIterable {
    /// Stride 2 at a bottleneck's 3×3 convolution.
    case pytorch
    /// Stride 2 at a bottleneck's first 1×1 convolution.
    case caffe
  }
  public var depth = 50
  public var inChannels = 3
  public var baseChannels = 64
  public var numStages = 4
  public var outIndices = [0, 1, 2, 3]
  public var style = Style.pytorch
  /// Stages that are not trained: -1 none, 0 the stem, 1 the stem and layer1, …
  public var frozenStages = -1
  public var norm = NormConfiguration.batch(requiresGrad: true)
  /// Keeps BN's running statistics and normalises with them.
  public var normEval = true
  public var zeroInitResidual = true

  public init() {}

  /// Bottlenecks end four times as wide as they begin.
  var expansion: Int { depth >= 50 ? 4 : 1 }

  /// The maps of the stages in `outIndices`.
  public var levels: [LevelShape] {
    outIndices.map { LevelShape(channels: (baseChannels << $0) * expansion, stride: 4 << $0) }
  }

  /// The number of blocks of each stage; nil for depths that there aren't.
  public static func blockCounts(depth: Int) -> [Int]? {
    switch depth {
    case 18: [2, 2, 2, 2]
    case 34, 50: [3, 4, 6, 3]
    case 101: [3, 4, 23, 3]
    case 152: [3, 8, 36, 3]
    default: nil
    }
  }

  public static let depths = [18, 34, 50, 101, 152]

  /// Whether its norms gather statistics of the batch while training.
  public var usesBatchStatistics: Bool {
    if case .group = norm { return false }
    return !normEval
  }
}

/// ResNet (He et al., 2016) as mmdetection builds it: parameter names, stages frozen from below, `pytorch` and
/// `caffe` style. Gives the maps C2 … C5 of the stages in `outIndices`.
public struct ResNet: Backbone {
  private let stemConvolution: Convolution2D
  private let stemNorm: Norm
  private let stages: [Stage]
  private let outIndices: [Int]

  /// - Parameter recomputing: stages, from 1 on, whose maps are computed again in the backward pass.
  public init(_ configuration: ResNetConfiguration, in scope: LayerScope, recomputing: [Int] = []) {
    guard let blockCounts = ResNetConfiguration.blockCounts(depth: configuration.depth) else {
      bug("there is no ResNet of depth \(configuration.depth)")
    }
    let channels = configuration.baseChannels
    let stem = scope.frozen(configuration.frozenStages >= 0)
    stemConvolution = Convolution2D(
      configuration.inChannels, channels, kernel: 7, stride: 2, padding: 3, hasBias: false,
      initializer: .kaimingNormal(fanOut: true), in: stem.scope("conv1"))
    stemNorm = Norm(
      configuration.norm, channels: channels, in: stem.scope("\(configuration.norm.abbreviation)1"),
      evaluates: configuration.normEval)

    var inChannels = channels
    var stages: [Stage] = []
    for (stage, count) in blockCounts.prefix(configuration.numStages).enumerated() {
      let stageScope = scope.frozen(configuration.frozenStages > stage).scope("layer\(stage + 1)")
      var blocks: [ResidualBlock] = []
      let first = scope.store.parameters.count
      for index in 0..<count {
        let shape = ResidualBlock.Shape(
          inChannels: inChannels, planes: channels << stage, stride: index == 0 && stage > 0 ? 2 : 1,
          expansion: configuration.expansion)
        blocks.append(ResidualBlock(shape, configuration, in: stageScope.scope("\(index)")))
        inChannels = shape.outChannels
      }
      stages.append(
        Stage(
          blocks: blocks, trained: scope.store.parameters[first...].filter(\.isTrainable),
          isRecomputed: recomputing.contains(stage + 1)))
    }
    self.stages = stages
    outIndices = configuration.outIndices
  }

  /// `layer1` … `layer4`.
  private struct Stage {
    let blocks: [ResidualBlock]
    let trained: [Parameter]
    let isRecomputed: Bool

    func callAsFunction(_ x: Tensor) throws -> Tensor { try blocks.reduce(x) { try $1($0) } }
  }

  /// `images`: `[N, H, W, 3]`.
  public func callAsFunction(_ images: Tensor) throws -> [Tensor] {
    var x = try stemNorm(stemConvolution, images, relu: true).maxPool(kernel: 3, stride: 2, padding: 1)
    var maps: [Tensor] = []
    for (index, stage) in stages.enumerated() {
      x = try stage.isRecomputed ? x.recomputed(training: stage.trained, stage.callAsFunction) : stage(x)
      if outIndices.contains(index) { maps.append(x) }
    }
    return maps
  }
}
