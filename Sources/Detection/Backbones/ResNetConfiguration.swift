import Layers
import Primitives

/// `model.backbone`, types `ResNet`, `ResNetV1d`, `ResNeXt` and `RegNet`.
public struct ResNetConfiguration: Equatable, Sendable {
  public enum Variant: Equatable, Sendable {
    case resNet
    /// Bottlenecks with grouped 3×3 convolutions (Xie et al., 2017), `groups` and `base_width`.
    case resNeXt(groups: Int, baseWidth: Int)
    /// Bottlenecks whose widths and number `depth` says nothing about.
    case regNet(RegNetArchitecture)
  }
  public enum Style: String, Sendable, CaseIterable {
    /// Stride 2 at a bottleneck's 3×3 convolution.
    case pytorch
    /// Stride 2 at a bottleneck's first 1×1 convolution.
    case caffe
  }
  public var variant = Variant.resNet
  public var depth = 50
  public var inChannels = 3
  /// Of the stem's map; nil: `baseChannels`.
  public var stemChannels: Int?
  public var baseChannels = 64
  public var numStages = 4
  /// Of each stage's first block.
  public var strides = [1, 2, 2, 2]
  /// Of the 3×3 convolutions of each stage.
  public var dilations = [1, 1, 1, 1]
  public var outIndices = [0, 1, 2, 3]
  public var style = Style.pytorch
  /// Three 3×3 convolutions in place of the stem's 7×7.
  public var deepStem = false
  /// Projections average over as many cells as the stride and have none themselves.
  public var avgDown = false
  /// Stages that are not trained: -1 none, 0 the stem, 1 the stem and layer1, …
  public var frozenStages = -1
  /// `conv_cfg`.
  public var convolution = ConvolutionConfiguration.conv2D
  public var norm = NormConfiguration.batch(requiresGrad: true)
  /// Keeps BN's running statistics and normalises with them.
  public var normEval = true
  public var zeroInitResidual = true

  public init() {}

  /// mmdetection's default of a RegNet.
  public init(_ architecture: RegNetArchitecture) {
    (variant, numStages) = (.regNet(architecture), architecture.stages.count)
    (stemChannels, baseChannels) = (32, 32)
    (strides, dilations) = ([2, 2, 2, 2], [1, 1, 1, 1])
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
  /// Those of bottlenecks.
  public static let bottleneckDepths = depths.filter { $0 >= 50 }

  /// A bottleneck's channels between its first and last convolution, where it has groups, by mmdetection's arithmetic.
  static func innerWidth(planes: Int, groups: Int, baseWidth: Int, baseChannels: Int) -> Int {
    groups <= 1 ? planes : Int(Double(planes) * (Double(baseWidth) / Double(baseChannels))) * groups
  }

  /// Whether a stem ends in a max pooling.
  var poolsAfterStem: Bool { if case .regNet = variant { false } else { true } }

  /// `layer1`, `layer2`, ….
  public var stages: [ResLayerConfiguration] {
    var inChannels = stemChannels ?? baseChannels
    return (0..<numStages).map { index in
      var stage: ResLayerConfiguration
      switch variant {
      case .resNet, .resNeXt:
        stage = ResLayerConfiguration(depth: depth, stage: index, inChannels: inChannels, baseChannels: baseChannels)
        if case .resNeXt(let groups, let baseWidth) = variant {
          stage.groups = groups
          stage.innerChannels = Self.innerWidth(
            planes: baseChannels << index, groups: groups, baseWidth: baseWidth, baseChannels: baseChannels)
        }
      case .regNet(let architecture):
        let widths = architecture.stages[index]
        stage = ResLayerConfiguration(
          block: .bottleneck, blocks: widths.blocks, inChannels: inChannels, innerChannels: widths.innerWidth,
          outChannels: widths.width)
        stage.groups = widths.groups
      }
      (stage.stride, stage.dilation, stage.style, stage.avgDown) = (strides[index], dilations[index], style, avgDown)
      (stage.convolution, stage.norm, stage.normEval) = (convolution, norm, normEval)
      stage.zeroInitResidual = zeroInitResidual
      inChannels = stage.outChannels
      return stage
    }
  }

  /// The maps of the stages in `outIndices`, as the backbone gives them: stage by stage.
  public var levels: [LevelShape] {
    var stride = poolsAfterStem ? 4 : 2
    let all = stages.map { stage in
      stride *= stage.stride
      return LevelShape(channels: stage.outChannels, stride: stride)
    }
    return all.indices.filter(outIndices.contains).map { all[$0] }
  }

  /// The channels of all its norms.
  public var normChannels: Set<Int> {
    let stem = stemChannels ?? baseChannels
    return Set(stages.flatMap { [$0.innerChannels, $0.outChannels] } + [stem] + (deepStem ? [stem / 2] : []))
  }

  /// The most channels that a map has.
  public var mostChannels: Int { stages.map { max($0.innerChannels, $0.outChannels) }.max() ?? 0 }

  /// Whether its norms gather statistics of the batch while training.
  public var usesBatchStatistics: Bool {
    if case .group = norm { return false }
    return !normEval
  }
}
