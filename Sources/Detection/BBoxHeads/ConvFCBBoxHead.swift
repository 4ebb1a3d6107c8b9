import Layers
import Primitives
import Tensors

/// The layers of a `bbox_head` of type `ConvFCBBoxHead`.
public struct ConvFCConfiguration: Equatable, Sendable {
  /// 3×3 convolutions, then fully connected layers, each with ReLU.
  public struct Branch: Equatable, Sendable {
    public var convs: Int
    public var fcs: Int

    public init(convs: Int = 0, fcs: Int = 0) { (self.convs, self.fcs) = (convs, fcs) }
  }
  /// `num_shared_convs`, `num_shared_fcs`. With the latter neither branch has convolutions.
  public var shared = Branch()
  /// `num_cls_convs`, `num_cls_fcs`: what follows for the scores alone.
  public var cls = Branch()
  /// `num_reg_convs`, `num_reg_fcs`: what follows for the deltas alone.
  public var reg = Branch()
  public var convOutChannels = 256
  public var fcOutChannels = 1024
  /// Of the convolutions.
  public var norm: NormConfiguration?
  /// `conv_cfg`.
  public var convolution = ConvolutionConfiguration.conv2D
  /// Layers after the convolutions see the mean over a region's cells instead of all of them.
  public var withAvgPool = false

  /// Without any layer: `BBoxHead`.
  public init() {}

  /// `Shared2FCBBoxHead`.
  public static var shared2FC: ConvFCConfiguration { shared(Branch(fcs: 2)) }
  /// `Shared4Conv1FCBBoxHead`.
  public static var shared4Conv1FC: ConvFCConfiguration { shared(Branch(convs: 4, fcs: 1)) }

  private static func shared(_ branch: Branch) -> ConvFCConfiguration {
    var layers = ConvFCConfiguration()
    layers.shared = branch
    return layers
  }

  public var hasConvolutions: Bool { [shared, cls, reg].contains { $0.convs > 0 } }
}

/// Convolutions and fully connected layers that scores and deltas share, then some for each of them, then `fc_cls` and
/// `fc_reg`. mmdetection's `ConvFCBBoxHead`; without any layer of its own its plain `BBoxHead`.
struct ConvFCBBoxHead: BoxHead {
  private let shared: ConvFCBranch
  private let cls: (branch: ConvFCBranch, last: Linear)?
  private let reg: (branch: ConvFCBranch, last: Linear)?

  init(_ layers: ConvFCConfiguration, _ configuration: BBoxHeadConfiguration, in scope: LayerScope) {
    let start = ConvFCBranch.Input.map(channels: configuration.inChannels)
    shared = ConvFCBranch(layers.shared, name: "shared", layers, configuration, after: start, in: scope)
    let after = shared.output
    func branch(_ counts: ConvFCConfiguration.Branch, _ name: String) -> ConvFCBranch {
      ConvFCBranch(counts, name: name, layers, configuration, after: after, in: scope)
    }
    let (cls, reg) = (
      configuration.withCls ? branch(layers.cls, "cls") : nil, configuration.withReg ? branch(layers.reg, "reg") : nil
    )
    self.cls = cls.map { branch in
      let rows = branch.output.rows(layers, configuration)
      return (branch, configuration.classifier(rows.features, layout: rows.layout, in: scope))
    }
    self.reg = reg.map { branch in
      let rows = branch.output.rows(layers, configuration)
      return (branch, configuration.regressor(rows.features, layout: rows.layout, in: scope))
    }
  }

  func callAsFunction(_ features: Tensor, stretched: Tensor?) throws -> BBoxHeadOutput {
    let x = try shared(features)
    return BBoxHeadOutput(
      scores: try cls.map { $0.last($0.branch.flattened(try $0.branch(x))) },
      deltas: try reg.map { $0.last($0.branch.flattened(try $0.branch(x))) })
  }
}

/// Convolutions, then fully connected layers.
private struct ConvFCBranch {
  /// What a layer reads.
  enum Input {
    case map(channels: Int)
    case row(features: Int)

    /// The same as rows.
    func rows(
      _ layers: ConvFCConfiguration, _ configuration: BBoxHeadConfiguration
    ) -> (features: Int, layout: ParameterLayout) {
      switch self {
      case .row(let features): return (features, .plain)
      case .map(let channels):
        let area = configuration.roiFeatSize * configuration.roiFeatSize
        return layers.withAvgPool ? (channels, .plain) : (channels * area, configuration.layout(channels: channels))
      }
    }
  }

  private let convs: [ConvolutionModule]
  private let fcs: [Linear]
  private let withAvgPool: Bool
  let output: Input

  init(
    _ counts: ConvFCConfiguration.Branch, name: String, _ layers: ConvFCConfiguration,
    _ configuration: BBoxHeadConfiguration, after input: Input, in scope: LayerScope
  ) {
    var next = input
    var convs: [ConvolutionModule] = []
    for index in 0..<counts.convs {
      guard case .map(let channels) = next else { bug("the \(name) convolutions stand behind linear layers") }
      convs.append(
        ConvolutionModule(
          channels, layers.convOutChannels, kernel: 3, norm: layers.norm, relu: true,
          convolution: layers.convolution, in: scope.scope("\(name)_convs.\(index)")))
      next = .map(channels: layers.convOutChannels)
    }
    fcs = (0..<counts.fcs).map { index in
      let rows = next.rows(layers, configuration)
      next = .row(features: layers.fcOutChannels)
      return Linear(
        rows.features, layers.fcOutChannels, layout: rows.layout, initializer: .xavierUniform,
        in: scope.scope("\(name)_fcs.\(index)"))
    }
    (self.convs, withAvgPool, output) = (convs, layers.withAvgPool, next)
  }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    var x = x
    for layer in convs { x = try layer(x) }
    if !fcs.isEmpty { x = flattened(x) }
    for layer in fcs { x = layer(x, relu: true) }
    return x
  }

  /// A map as rows; rows as they are.
  func flattened(_ x: Tensor) -> Tensor {
    guard x.shape.count == 4 else { return x }
    return withAvgPool ? x.averagePool() : x.flattened()
  }
}
