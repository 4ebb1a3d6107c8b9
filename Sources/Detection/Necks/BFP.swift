import Layers
import Tensors

/// `model.neck`, type `BFP`.
public struct BFPConfiguration: Equatable, Sendable {
  public enum Refinement: String, Sendable, CaseIterable {
    case none
    /// A 3×3 convolution with ReLU.
    case convolution = "conv"
    /// Attention over all cells.
    case nonLocal = "non_local"
  }
  /// Of all levels.
  public var inChannels = 256
  public var numLevels = 5
  /// The level whose size the maps are gathered at.
  public var refineLevel = 2
  public var refineType = Refinement.none
  /// Of the convolution, or of the last one of the attention.
  public var norm: NormConfiguration?
  /// `conv_cfg`, of all its convolutions.
  public var convolution = ConvolutionConfiguration.conv2D

  public init() {}
}

/// Balanced feature pyramid (Pang et al., "Libra R-CNN", section 3.2): the mean of all levels at one size, refined, is
/// added to each level. mmdetection's `BFP`.
struct BFP: Neck {
  private let configuration: BFPConfiguration
  private let convolution: ConvolutionModule?
  private let attention: NonLocal?

  init(_ configuration: BFPConfiguration, in scope: LayerScope) {
    self.configuration = configuration
    let (channels, scope) = (configuration.inChannels, scope.scope("refine"))
    convolution =
      configuration.refineType == .convolution
      ? ConvolutionModule(
        channels, channels, kernel: 3, norm: configuration.norm, relu: true, convolution: configuration.convolution,
        initializer: .xavierUniform, in: scope)
      : nil
    attention =
      configuration.refineType == .nonLocal ? NonLocal(configuration, in: scope) : nil
  }

  func callAsFunction(_ maps: [Tensor]) throws -> [Tensor] {
    let middle = maps[configuration.refineLevel]
    let gathered = maps.enumerated().map { level, map in
      resized(map, like: middle, shrinks: level < configuration.refineLevel)
    }
    var balanced = Tensor.sum(ofMaps: gathered, scale: 1 / Float(maps.count))
    balanced = try convolution?(balanced) ?? attention?(balanced) ?? balanced
    return maps.enumerated().map { level, map in
      Tensor.sum(ofMaps: [resized(balanced, like: map, shrinks: level > configuration.refineLevel), map])
    }
  }

  /// Smaller by the maximum, larger by the nearest cell.
  private func resized(_ map: Tensor, like other: Tensor, shrinks: Bool) -> Tensor {
    let (height, width) = (other.shape[1], other.shape[2])
    if map.shape[1] == height, map.shape[2] == width { return map }
    return shrinks
      ? map.adaptiveMaxPool(height: height, width: width) : map.resized(height: height, width: width, .nearest)
  }
}

/// mmcv's `NonLocal2d` as `BFP` uses it (Wang et al., "Non-local neural networks", equation 4, embedded Gaussian without
/// scale and reduction): `x + conv_out(softmax(θ φᵀ) g)`.
private struct NonLocal {
  private let g: ConvolutionModule
  private let theta: ConvolutionModule
  private let phi: ConvolutionModule
  private let output: ConvolutionModule

  init(_ configuration: BFPConfiguration, in scope: LayerScope) {
    let channels = configuration.inChannels
    func layer(_ name: String, norm: NormConfiguration? = nil) -> ConvolutionModule {
      ConvolutionModule(
        channels, channels, kernel: 1, norm: norm, relu: false, convolution: configuration.convolution,
        initializer: .xavierUniform, startsAtZero: true, in: scope.scope(name))
    }
    (g, theta, phi, output) = (layer("g"), layer("theta"), layer("phi"), layer("conv_out", norm: configuration.norm))
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    let attended = Tensor.attention(queries: try theta(x), keys: try phi(x), values: try g(x))
    return Tensor.sum(ofMaps: [x, try output(attended)])
  }
}
