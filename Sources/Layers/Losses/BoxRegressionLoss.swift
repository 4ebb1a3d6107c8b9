import Kernels
import Tensors

/// How a loss becomes one number.
public enum LossReduction: String, Sendable, CaseIterable {
  /// The sum over mmdetection's `avg_factor`.
  case mean
  /// mmdetection leaves all numbers, and its training takes their mean: the sum over their number.
  case none
}

/// `loss_bbox`: mmdetection's `L1Loss`, `SmoothL1Loss`, `BalancedL1Loss` and `MSELoss` of single numbers, and its
/// `IoULoss`, `GIoULoss`, `DIoULoss`, `CIoULoss` and `BoundedIoULoss` of whole boxes.
public struct BoxRegressionLoss: Equatable, Sendable {
  public enum Kind: Equatable, Sendable {
    case l1
    case smoothL1(beta: Float)
    case balancedL1(alpha: Double, gamma: Double, beta: Double)
    case mse
    /// Of decoded boxes (`reg_decoded_bbox`). `eps` keeps quotients finite: 1e-6 unless written, 1e-3 for
    /// `BoundedIoULoss`.
    case ofBoxes(BoxLoss, eps: Float)
  }

  public var kind = Kind.l1
  /// `loss_weight`.
  public var lossWeight: Float = 1
  /// What its user divides by.
  public var reduction = LossReduction.mean

  public init(_ kind: Kind = .l1) { self.kind = kind }

  /// Whether it compares boxes rather than numbers.
  public var isOfBoxes: Bool { if case .ofBoxes = kind { true } else { false } }

  /// How many numbers `losses` gives for a box.
  public var lossesABox: Int { if case .ofBoxes(let loss, _) = kind { loss.parts } else { 4 } }

  /// `loss_weight · Σ loss / averageFactor`, a scalar.
  ///
  /// - Parameters:
  ///   - prediction: any shape, or for losses of boxes `[rows, 4]` with x1, y1, x2, y2.
  ///   - elements: which elements count, as flat indices; nil: all. Losses of boxes take all.
  ///   - targets: one for each of them.
  ///   - averageFactor: mmdetection's `avg_factor`; at least 1 is used. Without elements the loss is 0, with zero
  ///     gradients.
  public func callAsFunction(
    _ prediction: Tensor, elements: [Int32]? = nil, targets: [Float], averageFactor: Double
  ) -> Tensor {
    losses(prediction, elements: elements, targets: targets).sum(scale: lossWeight / Float(max(averageFactor, 1)))
  }

  /// `weight · loss` without `loss_weight`: one for each element; for losses of boxes one for each row (or for each
  /// coordinate, `BoundedIoULoss`).
  ///
  /// - Parameters:
  ///   - prediction: any shape, or for losses of boxes `[rows, 4]` with x1, y1, x2, y2.
  ///   - elements: which elements count, as flat indices; nil: all. Losses of boxes take all.
  ///   - targets: one for each of them.
  ///   - weights: one for each loss; nil: 1. For losses of boxes there may be one for each coordinate: a row's weight
  ///     is then their mean, as in mmdetection.
  public func losses(
    _ prediction: Tensor, elements: [Int32]? = nil, targets: [Float], weights: [Float]? = nil
  ) -> Tensor {
    switch kind {
    case .l1: numbers(.l1, prediction, elements, targets, weights)
    case .smoothL1(let beta): numbers(.smoothL1(beta: beta), prediction, elements, targets, weights)
    case .balancedL1(let alpha, let gamma, let beta):
      numbers(.balancedL1(alpha: alpha, gamma: gamma, beta: beta), prediction, elements, targets, weights)
    case .mse: numbers(.squared, prediction, elements, targets, weights)
    case .ofBoxes(let loss, let eps): boxes(loss, eps, prediction, targets, weights)
    }
  }

  private func numbers(
    _ loss: ElementLoss, _ prediction: Tensor, _ elements: [Int32]?, _ targets: [Float], _ weights: [Float]?
  ) -> Tensor {
    Tensor.elementLosses(
      loss, of: prediction, elements: elements, targets: targets,
      weights: weights ?? [Float](repeating: 1, count: targets.count))
  }

  private func boxes(
    _ loss: BoxLoss, _ eps: Float, _ boxes: Tensor, _ targets: [Float], _ weights: [Float]?
  ) -> Tensor {
    let rows = targets.count / 4
    var weights = weights ?? [Float](repeating: 1, count: rows * loss.parts)
    if loss.parts == 1, weights.count == 4 * rows {
      weights = (0..<rows).map { row in weights[4 * row..<4 * row + 4].reduce(0, +) / 4 }
    }
    return Tensor.boxLosses(loss, of: boxes, targets: targets, weights: weights, eps: eps)
  }
}
