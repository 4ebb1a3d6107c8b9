import Kernels
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
  /// `conv_cfg`.
  public var convolution = ConvolutionConfiguration.conv2D
  /// `no_norm_on_lateral`: the 1×1 convolutions are without it.
  public var noNormOnLateral = false
  /// `act_cfg: {type: ReLU}`: after each convolution; mmdetection's default is none.
  public var relu = false
  /// `upsample_cfg`: how a coarser map is enlarged to the size of the next finer one.
  public var upsampling = MapResizing.nearest
  /// `PAFPN`: a second, bottom-up path follows.
  public var hasBottomUpPath = false

  public init() {}

  /// The backbone's levels that it takes.
  public var inLevels: Range<Int> { startLevel..<(endLevel == -1 ? inChannels.count : endLevel) }

  /// Level i is `startLevel + i` of the backbone; each extra level halves the map again.
  public func levels(of backbone: [LevelShape]) -> [LevelShape] {
    var strides = backbone[inLevels].map(\.stride)
    while strides.count < numOuts { strides.append(strides[strides.count - 1] * 2) }
    return strides.map { LevelShape(channels: outChannels, stride: $0) }
  }

  /// A convolution with all that is common to the pyramid's.
  func convolution(
    _ inChannels: Int, kernel: Int, stride: Int = 1, norm: NormConfiguration?, in scope: LayerScope
  ) -> ConvolutionModule {
    ConvolutionModule(
      inChannels, outChannels, kernel: kernel, stride: stride, norm: norm, relu: relu, convolution: convolution,
      initializer: .xavierUniform, in: scope)
  }
}

/// The feature pyramid (Lin et al., 2017): lateral 1×1 convolutions, a top-down path that enlarges maps, 3×3
/// convolutions, and coarser extra levels. Layer names and options are mmdetection's.
public struct FPN: Neck {
  private let laterals: [ConvolutionModule]
  private let outputs: [ConvolutionModule]
  private let bottomUp: BottomUpPath?
  private let configuration: FPNConfiguration

  public init(_ configuration: FPNConfiguration, in scope: LayerScope) {
    self.configuration = configuration
    let levels = configuration.inLevels
    laterals = levels.enumerated().map { index, level in
      configuration.convolution(
        configuration.inChannels[level], kernel: 1, norm: configuration.noNormOnLateral ? nil : configuration.norm,
        in: scope.scope("lateral_convs.\(index)"))
    }
    let extra = configuration.addExtraConvs == .none ? 0 : max(0, configuration.numOuts - levels.count)
    outputs = (0..<levels.count + extra).map { index in
      let isFirstExtra = index == levels.count && configuration.addExtraConvs == .onInput
      return configuration.convolution(
        isFirstExtra ? configuration.inChannels[levels.upperBound - 1] : configuration.outChannels, kernel: 3,
        stride: index < levels.count ? 1 : 2, norm: configuration.norm, in: scope.scope("fpn_convs.\(index)"))
    }
    bottomUp = configuration.hasBottomUpPath ? BottomUpPath(configuration, in: scope) : nil
  }

  /// The backbone's maps in, `numOuts` maps out, finest first.
  public func callAsFunction(_ maps: [Tensor]) throws -> [Tensor] {
    var merged = try laterals.enumerated().map { try $1(maps[$0 + configuration.startLevel]) }
    for level in stride(from: merged.count - 1, to: 0, by: -1) {
      // In place where nothing of the finer map is to be read again.
      if configuration.upsampling == .nearest, !configuration.relu {
        merged[level - 1].addUpsampled(merged[level])
      } else {
        let finer = merged[level - 1]
        let top = merged[level].resized(height: finer.shape[1], width: finer.shape[2], configuration.upsampling)
        merged[level - 1] = Tensor.sum(ofMaps: [finer, top])
      }
    }
    var levels = try merged.enumerated().map { try outputs[$0]($1) }
    levels = try bottomUp?(levels) ?? levels
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

/// The second path of mmdetection's `PAFPN` (Liu et al., "Path aggregation network"): each map takes the next finer one,
/// halved by a 3×3 convolution, and goes through another.
private struct BottomUpPath {
  private let downsamplings: [ConvolutionModule]
  private let outputs: [ConvolutionModule]

  init(_ configuration: FPNConfiguration, in scope: LayerScope) {
    func layers(_ name: String, stride: Int) -> [ConvolutionModule] {
      (0..<configuration.inLevels.count - 1).map {
        configuration.convolution(
          configuration.outChannels, kernel: 3, stride: stride, norm: configuration.norm,
          in: scope.scope("\(name).\($0)"))
      }
    }
    (downsamplings, outputs) = (layers("downsample_convs", stride: 2), layers("pafpn_convs", stride: 1))
  }

  func callAsFunction(_ levels: [Tensor]) throws -> [Tensor] {
    var sums = levels
    for (i, halve) in downsamplings.enumerated() {
      sums[i + 1] = Tensor.sum(ofMaps: [levels[i + 1], try halve(sums[i])])
    }
    return [sums[0]] + (try zip(outputs, sums.dropFirst()).map { try $0($1) })
  }
}
