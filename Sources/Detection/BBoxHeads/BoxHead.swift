import Layers
import Tensors

/// The layers that classify and refine regions; mmdetection's `BBoxHead` and what derives from it. Targets, losses and
/// decoding are common to all.
public protocol BoxHead {
  /// - Parameters:
  ///   - features: `[R, roi_feat_size, roi_feat_size, in]`; R may be 0.
  ///   - stretched: the features of the same regions enlarged by `reg_roi_scale_factor`, where the RoI head is
  ///     `DoubleHeadRoIHead`.
  func callAsFunction(_ features: Tensor, stretched: Tensor?) throws -> BBoxHeadOutput
}

/// What a box head says of R regions: `scores` `[R, C + 1]`, logits with the background last; `deltas` `[R, 4·C]`, or
/// `[R, 4]` when class-agnostic. Either is nil where the head is without it (`with_cls`, `with_reg`).
public struct BBoxHeadOutput {
  public let scores: Tensor?
  public let deltas: Tensor?
}

/// `bbox_head`.
public struct BBoxHeadConfiguration: Equatable, Sendable {
  public enum Layers: Equatable, Sendable {
    /// `ConvFCBBoxHead`; `BBoxHead`, `Shared2FCBBoxHead` and `Shared4Conv1FCBBoxHead` are cases of it.
    case convFC(ConvFCConfiguration)
    /// `DoubleConvFCBBoxHead`.
    case doubleConvFC(DoubleConvFCConfiguration)
  }
  public var layers = Layers.convFC(.shared2FC)
  public var inChannels = 256
  public var roiFeatSize = 7
  /// Without the background.
  public var numClasses = 80
  /// Whether there are scores, and `loss_cls`.
  public var withCls = true
  /// Whether there are deltas, and `loss_bbox`.
  public var withReg = true
  public var bboxCoder = BoxCoderConfiguration.deltaXYWH(DeltaXYWHBBoxCoderConfiguration())
  public var regClassAgnostic = false
  /// The regression loss compares boxes, not deltas.
  public var regDecodedBBox = false
  public var lossCls = ClassificationLoss()
  public var lossBBox = BoxRegressionLoss()

  public init() {}

  public func make(in scope: LayerScope) -> any BoxHead {
    switch layers {
    case .convFC(let layers): ConvFCBBoxHead(layers, self, in: scope)
    case .doubleConvFC(let layers): DoubleConvFCBBoxHead(layers, self, in: scope)
    }
  }

  /// The norm of its convolutions.
  public var norm: NormConfiguration? {
    switch layers {
    case .convFC(let layers): layers.hasConvolutions ? layers.norm : nil
    case .doubleConvFC(let layers): layers.norm
    }
  }

  /// Whether its norms gather statistics of the batch while training.
  public var usesBatchStatistics: Bool {
    if case .doubleConvFC = layers { return true }
    return norm.map { !$0.isGroupNorm } ?? false
  }

  /// How a layer's weights lie that reads a map of these channels flattened.
  func layout(channels: Int) -> ParameterLayout {
    .linearOnMap(channels: channels, height: roiFeatSize, width: roiFeatSize)
  }

  /// `fc_cls`, for rows `[R, inFeatures]`.
  func classifier(_ inFeatures: Int, layout: ParameterLayout = .plain, in scope: LayerScope) -> Linear {
    Linear(
      inFeatures, numClasses + 1, layout: layout, initializer: .normal(0.01),
      classRows: ClassRows(classes: numClasses, rowsAClass: 1, others: 1), in: scope.scope("fc_cls"))
  }

  /// `fc_reg`, for rows `[R, inFeatures]`.
  func regressor(_ inFeatures: Int, layout: ParameterLayout = .plain, in scope: LayerScope) -> Linear {
    Linear(
      inFeatures, 4 * (regClassAgnostic ? 1 : numClasses), layout: layout, initializer: .normal(0.001),
      classRows: regClassAgnostic ? nil : ClassRows(classes: numClasses, rowsAClass: 4), in: scope.scope("fc_reg"))
  }

  var regression: BoxRegression {
    BoxRegression(coder: bboxCoder.make(), loss: lossBBox, isOfDecodedBoxes: regDecodedBBox)
  }
}
