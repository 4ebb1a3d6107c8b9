import Layers
import Tensors

/// ResNet (He et al., 2016) as mmdetection builds it: parameter names, stages frozen from below, `pytorch` and
/// `caffe` style. Gives the maps C2 … C5 of the stages in `outIndices`.
public struct ResNet {
  private let stemConvolution: Convolution2D
  private let stemNorm: Norm
  private let stages: [Stage]
  private let outIndices: [Int]
  /// The number of channels of each map that it gives.
  public let outChannels: [Int]

  public init(_ configuration: ResNetConfiguration, in scope: LayerScope) {
    let isBottleneck = configuration.depth >= 50
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
    for (stage, count) in Self.blockCounts(depth: configuration.depth).prefix(configuration.numStages).enumerated() {
      let stageScope = scope.frozen(configuration.frozenStages > stage).scope("layer\(stage + 1)")
      var blocks: [ResidualBlock] = []
      let first = scope.store.parameters.count
      for index in 0..<count {
        let shape = ResidualBlock.Shape(
          inChannels: inChannels, planes: channels << stage, stride: index == 0 && stage > 0 ? 2 : 1,
          isBottleneck: isBottleneck)
        blocks.append(ResidualBlock(shape, configuration, in: stageScope.scope("\(index)")))
        inChannels = shape.outChannels
      }
      stages.append(
        Stage(
          blocks: blocks, trained: scope.store.parameters[first...].filter(\.isTrainable),
          isRecomputed: configuration.recompute.contains(stage + 1)))
    }
    self.stages = stages
    outIndices = configuration.outIndices
    outChannels = Self.outChannels(configuration)
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

  /// The number of channels of the maps that a configuration gives.
  public static func outChannels(_ configuration: ResNetConfiguration) -> [Int] {
    let expansion = configuration.depth >= 50 ? 4 : 1
    return configuration.outIndices.map { (configuration.baseChannels << $0) * expansion }
  }

  public static let depths = [18, 34, 50, 101, 152]

  private static func blockCounts(depth: Int) -> [Int] {
    switch depth {
    case 18: [2, 2, 2, 2]
    case 34, 50: [3, 4, 6, 3]
    case 101: [3, 4, 23, 3]
    case 152: [3, 8, 36, 3]
    default: preconditionFailure("there is no ResNet of depth \(depth)")
    }
  }
}
