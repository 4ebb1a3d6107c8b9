/// The fixed vector of losses that a step logs: the means over the global batch, in mmdetection's names and order.
public struct LossValues: Equatable, Sendable {
  public static let names = ["loss_rpn_cls", "loss_rpn_bbox", "loss_cls", "acc", "loss_bbox", "loss"]

  public var rpnCls: Double
  public var rpnBBox: Double
  public var cls: Double
  /// In percent.
  public var accuracy: Double
  public var bbox: Double

  public var total: Double { rpnCls + rpnBBox + cls + bbox }
  public var values: [Double] { [rpnCls, rpnBBox, cls, accuracy, bbox, total] }
  public var isFinite: Bool { total.isFinite }
}
