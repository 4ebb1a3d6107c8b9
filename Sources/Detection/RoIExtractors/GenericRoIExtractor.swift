import Kernels
import Layers
import Primitives
import Tensors

/// `bbox_roi_extractor`, type `GenericRoIExtractor`.
public struct GenericRoIExtractorConfiguration: Equatable, Sendable {
  public enum Aggregation: String, Sendable, CaseIterable { case sum, concat }
  /// `pre_cfg` and `post_cfg`, type `ConvModule`: the map keeps its size.
  public struct Module: Equatable, Sendable {
    public var inChannels: Int
    public var outChannels: Int
    /// Odd; the padding is half of it.
    public var kernel = 1
    public var norm: NormConfiguration?
    public var relu = true
    /// `conv_cfg`.
    public var convolution = ConvolutionConfiguration.conv2D

    public init(inChannels: Int, outChannels: Int) { (self.inChannels, self.outChannels) = (inChannels, outChannels) }
  }
  /// Which maps are looked at, and how a region is cut out of each of them. `finestScale` has no meaning, and
  /// `outChannels` is mmdetection's: of the aggregate, before `post`.
  public var cut = SingleRoIExtractorConfiguration()
  public var aggregation = Aggregation.sum
  /// For each level's features, with common weights.
  public var pre: Module?
  /// For the aggregate.
  public var post: Module?

  public init() {}

  /// The channels of what it gives, if the pyramid has `channels`. A single level is neither processed nor aggregated.
  func outChannels(of channels: Int) -> Int {
    guard cut.featmapStrides.count > 1 else { return channels }
    return post?.outChannels ?? aggregateChannels(of: channels)
  }

  /// The channels of the aggregate, if the pyramid has `channels`.
  public func aggregateChannels(of channels: Int) -> Int {
    (pre?.outChannels ?? channels) * (aggregation == .sum ? 1 : cut.featmapStrides.count)
  }
}

/// Cuts each region from all levels of the pyramid and takes the sum of that, or all of it (Rossi et al., "A novel
/// region of interest extraction layer for instance segmentation"): mmdetection's `GenericRoIExtractor`.
struct GenericRoIExtractor: RoIExtractor {
  private let configuration: GenericRoIExtractorConfiguration
  private let keepLevelsInGraph: Bool
  private let pre: ConvolutionModule?
  private let post: ConvolutionModule?

  init(_ configuration: GenericRoIExtractorConfiguration, keepLevelsInGraph: Bool, in scope: LayerScope) {
    (self.configuration, self.keepLevelsInGraph) = (configuration, keepLevelsInGraph)
    func module(_ module: GenericRoIExtractorConfiguration.Module?, _ name: String) -> ConvolutionModule? {
      module.map {
        ConvolutionModule(
          $0.inChannels, $0.outChannels, kernel: $0.kernel, norm: $0.norm, relu: $0.relu,
          convolution: $0.convolution, in: scope.scope(name))
      }
    }
    (pre, post) = (module(configuration.pre, "pre_module"), module(configuration.post, "post_module"))
  }

  func callAsFunction(
    _ levels: [Tensor], regions: [RegionOfInterest], scaleFactor: Float?, on engine: Engine
  ) throws -> Tensor {
    let strides = configuration.cut.featmapStrides
    let regions = regions.scaled(by: strides.count > 1 ? scaleFactor : nil)
    let places = [Int](repeating: 0, count: regions.count)
    let cuts = zip(levels, strides).map { level, stride in
      Tensor.extractRegions(
        by: configuration.cut.roiLayer, from: [level], strides: [stride], regions: regions, levelOf: places,
        keepLevelsInGraph: keepLevelsInGraph, on: engine)
    }
    guard cuts.count > 1 else { return cuts[0] }
    let features = try pre.map { pre in try cuts.map { try pre($0) } } ?? cuts
    let aggregate = configuration.aggregation == .sum ? Tensor.sum(ofMaps: features) : Tensor.concatenated(features)
    return try post?(aggregate) ?? aggregate
  }
}
