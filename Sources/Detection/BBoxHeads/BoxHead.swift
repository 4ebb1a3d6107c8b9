import Layers
import Tensors

/// The layers that classify and refine regions; mmdetection's `BBoxHead` and what derives from it. Targets, losses and
/// decoding are common to all.
public protocol BoxHead {
  /// - Parameter features: `[R, roi_feat_size, roi_feat_size, in]`; R may be 0.
  func callAsFunction(_ features: Tensor) -> BBoxHeadOutput
}

/// What a box head says of R regions: `scores` `[R, C + 1]`, logits with the background last; `deltas` `[R, 4·C]`, or
/// `[R, 4]` when class-agnostic.
public struct BBoxHeadOutput {
  public let scores: Tensor
  public let deltas: Tensor
}

/// `bbox_head`.
public struct BBoxHeadConfiguration: Equatable, Sendable {
  public enum Layers: Equatable, Sendable {
    /// `Shared2FCBBoxHead`.
    case sharedFCs(SharedFCsConfiguration)
    /// `BBoxHead`.
    case plain(PlainBBoxHeadConfiguration)
  }
  public var layers = Layers.sharedFCs(SharedFCsConfiguration())
  public var inChannels = 256
  public var roiFeatSize = 7
  /// Without the background.
  public var numClasses = 80
  public var bboxCoder = BoxCoderConfiguration.deltaXYWH(DeltaXYWHBBoxCoderConfiguration())
  public var regClassAgnostic = false
  /// The regression loss compares boxes, not deltas.
  public var regDecodedBBox = false
  public var lossCls = ClassificationLoss()
  public var lossBBox = BoxRegressionLoss()

  public init() {}

  public func make(in scope: LayerScope) -> any BoxHead {
    switch layers {
    case .sharedFCs(let layers): Shared2FCBBoxHead(layers, self, in: scope)
    case .plain(let layers): BBoxHead(layers, self, in: scope)
    }
  }

  /// The width of `deltas`.
  var numDeltas: Int { 4 * (regClassAgnostic ? 1 : numClasses) }

  var regression: BoxRegression {
    BoxRegression(coder: bboxCoder.make(), loss: lossBBox, isOfDecodedBoxes: regDecodedBBox)
  }
}

/// The last layers of a box head: `fc_cls` and `fc_reg`, on rows `[R, in]`.
struct BoxPredictor {
  private let classifier: Linear
  private let regressor: Linear

  /// - Parameter layout: of the weights, for layers that read a flattened map.
  init(
    _ configuration: BBoxHeadConfiguration, inFeatures: Int, layout: ParameterLayout = .plain, in scope: LayerScope
  ) {
    let classes = configuration.numClasses
    classifier = Linear(
      inFeatures, classes + 1, layout: layout, initializer: .normal(0.01),
      classRows: ClassRows(classes: classes, rowsAClass: 1, others: 1), in: scope.scope("fc_cls"))
    regressor = Linear(
      inFeatures, configuration.numDeltas, layout: layout, initializer: .normal(0.001),
      classRows: configuration.regClassAgnostic ? nil : ClassRows(classes: classes, rowsAClass: 4),
      in: scope.scope("fc_reg"))
  }

  func callAsFunction(_ x: Tensor) -> BBoxHeadOutput { BBoxHeadOutput(scores: classifier(x), deltas: regressor(x)) }
}
