import Layers
import Tensors

/// `model.neck`, type `FPN`.
public struct FPNConfiguration: Equatable, Sendable {
  public enum ExtraConvolutions: String, Sendable, CaseIterable {
    case none, onInput = "on_input", onLateral = "on_lateral", onOutput = "on_output"
  }
  public var inChannels = [256, 512, 1024, 2048]
  public var outChannels = 256
  public var numOuts = 5
  public var startLevel = 0
  public var endLevel = -1
  public var addExtraConvs = ExtraConvolutions.none
  public var reluBeforeExtraConvs = false
  /// nil: convolutions with bias and no norm, as mmdetection's default.
  public var norm: NormConfiguration?

  public init() {}

  /// The backbone's levels that it takes.
  public var inLevels: Range<Int> { startLevel..<(endLevel == -1 ? inChannels.count : endLevel) }

  /// Level i is `startLevel + i` of the backbone; each extra level halves the map again.
  public func levels(of backbone: [LevelShape]) -> [LevelShape] {
    var strides = backbone[inLevels].map(\.stride)
    while strides.count < numOuts { strides.append(strides[strides.count - 1] * 2) }
    return strides.map { LevelShape(channels: outChannels, stride: $0) }
  }
}

/// The feature pyramid (Lin et al., 2017): lateral 1×1 convolutions, a top-down path of nearest upsampling, 3×3
/// convolutions, and coarser extra levels. Layer names and options are mmdetection's.
public struct FPN: Neck {
  private let laterals: [ConvolutionModule]
  private let outputs: [ConvolutionModule]
  private let configuration: FPNConfiguration

  public init(_ configuration: FPNConfiguration, in scope: LayerScope) {
    self.configuration = configuration
    let (channels, levels) = (configuration.outChannels, configuration.inLevels)
    laterals = levels.enumerated().map { index, level in
      ConvolutionModule(
        configuration.inChannels[level], channels, kernel: 1, stride: 1, norm: configuration.norm,
        in: scope.scope("lateral_convs.\(index)"))
    }
    let extra = configuration.addExtraConvs == .none ? 0 : max(0, configuration.numOuts - levels.count)
    outputs = (0..<levels.count + extra).map { index in
      let isFirstExtra = index == levels.count && configuration.addExtraConvs == .onInput
      return ConvolutionModule(
        isFirstExtra ? configuration.inChannels[levels.upperBound - 1] : channels, channels, kernel: 3,
        stride: index < levels.count ? 1 : 2, norm: configuration.norm, in: scope.scope("fpn_convs.\(index)"))
    }
  }

  /// The backbone's maps in, `numOuts` maps out, finest first.
  public func callAsFunction(_ maps: [Tensor]) throws -> [Tensor] {
    let merged = try laterals.enumerated().map { try $1(maps[$0 + configuration.startLevel]) }
    for level in stride(from: merged.count - 1, to: 0, by: -1) {
      merged[level - 1].addUpsampled(merged[level])
    }
    var levels = try merged.enumerated().map { try outputs[$0]($1) }
    while levels.count < configuration.numOuts {
      levels.append(try extraLevel(after: levels, maps: maps, merged: merged))
    }
    return levels
  }

  private func extraLevel(after levels: [Tensor], maps: [Tensor], merged: [Tensor]) throws -> Tensor {
    let previous = levels[levels.count - 1]
    guard configuration.addExtraConvs != .none else { return previous.maxPool(kernel: 1, stride: 2, padding: 0) }
    let source: Tensor
    if levels.count > merged.count {
      source = configuration.reluBeforeExtraConvs ? previous.relu() : previous
    } else {
      switch configuration.addExtraConvs {
      case .onInput: source = maps[configuration.inLevels.upperBound - 1]
      case .onLateral: source = merged[merged.count - 1]
      case .onOutput, .none: source = previous
      }
    }
    return try outputs[levels.count](source)
  }
}

/// mmcv's `ConvModule` as the pyramid uses it: a convolution with bias, or without one and a norm.
struct ConvolutionModule {
  private let convolution: Convolution2D
  private let norm: Norm?

  init(
    _ inChannels: Int, _ outChannels: Int, kernel: Int, stride: Int, norm: NormConfiguration?, in scope: LayerScope
  ) {
    convolution = Convolution2D(
      inChannels, outChannels, kernel: kernel, stride: stride, padding: kernel / 2, hasBias: norm == nil,
      initializer: .xavierUniform, in: scope.scope("conv"))
    self.norm = norm.map {
      Norm($0, channels: outChannels, in: scope.scope($0.abbreviation), evaluates: false)
    }
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    try norm?(convolution, x) ?? convolution(x)
  }
}
