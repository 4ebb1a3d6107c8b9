import Kernels
import Tensors

/// mmdetection's `IoULoss`, `GIoULoss`, `DIoULoss`, `CIoULoss` and `BoundedIoULoss`, which differ in `kind`.
public struct IoULoss: Sendable {
  public var kind: BoxLoss
  /// Keeps quotients finite. mmdetection's defaults are 1e-6, and 1e-3 for `BoundedIoULoss`.
  public var eps: Float
  public var reduction = LossReduction.mean
  public var lossWeight: Float = 1

  public init(_ kind: BoxLoss = .iou(linear: false), eps: Float = 1e-6) { (self.kind, self.eps) = (kind, eps) }

  /// - Parameters:
  ///   - boxes: `[rows, 4]`.
  ///   - weights: one for each row, or for each coordinate: then a row's weight is their mean. `BoundedIoULoss` has
  ///     one loss for each coordinate, and takes a weight for each.
  public func callAsFunction(
    _ boxes: Tensor, targets: [Float], weights: [Float]? = nil, averageFactor: Float? = nil,
    reduction: LossReduction? = nil
  ) -> Tensor {
    let rows = boxes.shape[0]
    var weights = weights ?? [Float](repeating: 1, count: rows * kind.parts)
    if kind.parts == 1, weights.count == 4 * rows {
      weights = (0..<rows).map { row in weights[4 * row..<4 * row + 4].reduce(0, +) / 4 }
    }
    return (reduction ?? self.reduction).reduce(
      weights: weights, averageFactor: averageFactor, lossWeight: lossWeight
    ) { Tensor.boxLosses(kind, of: boxes, targets: targets, weights: $0, eps: eps) }
  }
}
