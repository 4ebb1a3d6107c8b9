import Kernels
import Primitives
import Tensors

/// `loss_cls`: mmdetection's `CrossEntropyLoss` and `FocalLoss`.
public struct ClassificationLoss: Equatable, Sendable {
  public enum Kind: Equatable, Sendable {
    /// `CrossEntropyLoss`: over the softmax of a row.
    case softmax
    /// `CrossEntropyLoss` with `use_sigmoid`: a binary one for each logit.
    case sigmoid
    /// `FocalLoss` (Lin et al., 2017), which is always binary.
    case focal(gamma: Double, alpha: Double)
  }

  public var kind = Kind.softmax
  /// `loss_weight`.
  public var lossWeight: Float = 1
  /// What its user divides by.
  public var reduction = LossReduction.mean
  /// `class_weight`. Softmax: a factor for each class, the background's included. Sigmoid: a factor for each logit, on
  /// the part of the loss that belongs to positives (torch's `pos_weight`).
  public var classWeight: [Float]?

  public init(_ kind: Kind = .softmax) { self.kind = kind }

  /// Whether the RPN samples its anchors for it; focal loss takes all.
  public var isSampled: Bool { if case .focal = kind { false } else { true } }

  /// `loss_weight · Σ weight · loss / averageFactor`, a scalar.
  ///
  /// - Parameters:
  ///   - logits: any shape; the last axis are the classes, rows are counted over all other axes.
  ///   - rows: which rows count; nil: all.
  ///   - labels: the class of each row. Binary: one that is no class (the background, or -1) is negative for all.
  ///   - weights: one for each row.
  ///   - averageFactor: mmdetection's `avg_factor`; at least 1 is used. Without rows the loss is 0, with zero gradients.
  public func callAsFunction(
    _ logits: Tensor, rows: [Int32]? = nil, labels: [Int], weights: [Float], averageFactor: Double
  ) -> Tensor {
    losses(logits, rows: rows, labels: labels, weights: weights).sum(
      scale: lossWeight / Float(max(averageFactor, 1)))
  }

  /// `weight · loss` without `loss_weight`: one for each row, or if binary `[rows · classes]`, one for each logit.
  public func losses(_ logits: Tensor, rows: [Int32]? = nil, labels: [Int], weights: [Float]) -> Tensor {
    switch kind {
    case .softmax:
      Tensor.softmaxCrossEntropies(
        logits: logits, rows: rows, labels: labels.map(Int32.init), weights: weights, classWeight: classWeight)
    case .sigmoid:
      binary(.sigmoidCrossEntropy(positiveWeights: classWeight), logits, rows, labels, weights)
    case .focal(let gamma, let alpha):
      binary(.focal(alpha: alpha, gamma: gamma), logits, rows, labels, weights)
    }
  }

  private func binary(
    _ loss: ElementLoss, _ logits: Tensor, _ rows: [Int32]?, _ labels: [Int], _ weights: [Float]
  ) -> Tensor {
    let classes = logits.shape.last ?? 1
    let rows = rows ?? Array(0..<Int32(logits.count / max(classes, 1)))
    require(
      rows.count == labels.count && rows.count == weights.count,
      "\(rows.count) rows, \(labels.count) labels and \(weights.count) weights")
    return Tensor.elementLosses(
      loss, of: logits, elements: rows.flatMap { $0 * Int32(classes)..<($0 + 1) * Int32(classes) },
      targets: labels.flatMap { label in (0..<classes).map { $0 == label ? 1 : 0 } },
      weights: weights.flatMap { [Float](repeating: $0, count: classes) })
  }
}
