import Kernels
import Tensors

/// mmdetection's `reduction`.
public enum LossReduction: String, Sendable, CaseIterable {
  case none, mean, sum

  /// mmdetection's `weight_reduce_loss`: a scalar, or with `none` one value for each element.
  ///
  /// `mean` divides by `averageFactor` or, without one, by the number of values, those of weight zero included.
  /// `none` ignores `averageFactor`; `sum` refuses it.
  /// - Parameter values: the losses, weighted by what it is given.
  func reduce(
    weights: [Float], averageFactor: Float?, lossWeight: Float, _ values: ([Float]) -> Tensor
  ) -> Tensor {
    switch self {
    case .none: return values(weights.map { lossWeight * $0 })
    case .mean: return values(weights).sum(scale: lossWeight / (averageFactor ?? Float(max(weights.count, 1))))
    case .sum:
      precondition(averageFactor == nil, "the reduction 'sum' can't be used with an average factor")
      return values(weights).sum(scale: lossWeight)
    }
  }
}

/// mmdetection's `CrossEntropyLoss`: softmax over classes, or with `useSigmoid` a binary one for each class.
public struct CrossEntropyLoss: Sendable {
  public var useSigmoid = false
  public var reduction = LossReduction.mean
  /// A factor for each class. With `useSigmoid` it acts on positives only.
  public var classWeight: [Float]?
  public var lossWeight: Float = 1

  public init() {}

  /// - Parameters:
  ///   - logits: `[rows, classes]`.
  ///   - labels: with `useSigmoid`, a label that is no class (the background, -1) is negative for all classes.
  ///   - weights: one for each row; nil: 1.
  public func callAsFunction(
    _ logits: Tensor, labels: [Int], weights: [Float]? = nil, averageFactor: Float? = nil,
    reduction: LossReduction? = nil
  ) -> Tensor {
    let weights = weights ?? [Float](repeating: 1, count: labels.count)
    if useSigmoid {
      let classes = logits.shape[1]
      return self(
        logits, targets: oneHot(labels, classes: classes), weights: repeated(weights, classes),
        averageFactor: averageFactor, reduction: reduction)
    }
    return (reduction ?? self.reduction).reduce(
      weights: weights, averageFactor: averageFactor, lossWeight: lossWeight
    ) {
      Tensor.softmaxCrossEntropies(
        logits: logits, labels: labels.map(Int32.init), weights: $0, classWeight: classWeight)
    }
  }

  /// With `useSigmoid`: a target and a weight for each logit.
  public func callAsFunction(
    _ logits: Tensor, targets: [Float], weights: [Float]? = nil, averageFactor: Float? = nil,
    reduction: LossReduction? = nil
  ) -> Tensor {
    precondition(useSigmoid, "softmax cross entropy takes labels")
    return elementLoss(
      .sigmoidCrossEntropy(positiveWeights: classWeight), logits, targets, weights, averageFactor, lossWeight,
      reduction ?? self.reduction)
  }
}

/// mmdetection's `FocalLoss` with `use_sigmoid`.
public struct FocalLoss: Sendable {
  public var gamma = 2.0
  public var alpha = 0.25
  public var reduction = LossReduction.mean
  public var lossWeight: Float = 1

  public init() {}

  /// `logits` are `[rows, classes]`, `weights` one for each row; a label that is no class is the background.
  public func callAsFunction(
    _ logits: Tensor, labels: [Int], weights: [Float]? = nil, averageFactor: Float? = nil,
    reduction: LossReduction? = nil
  ) -> Tensor {
    let classes = logits.shape[1]
    return elementLoss(
      .focal(alpha: alpha, gamma: gamma), logits, oneHot(labels, classes: classes),
      weights.map { repeated($0, classes) }, averageFactor, lossWeight, reduction ?? self.reduction)
  }
}

/// mmdetection's `L1Loss`.
public struct L1Loss: Sendable {
  public var reduction = LossReduction.mean
  public var lossWeight: Float = 1

  public init() {}

  public func callAsFunction(
    _ prediction: Tensor, targets: [Float], weights: [Float]? = nil, averageFactor: Float? = nil,
    reduction: LossReduction? = nil
  ) -> Tensor {
    elementLoss(.l1, prediction, targets, weights, averageFactor, lossWeight, reduction ?? self.reduction)
  }
}

/// mmdetection's `SmoothL1Loss`.
public struct SmoothL1Loss: Sendable {
  public var beta: Float = 1
  public var reduction = LossReduction.mean
  public var lossWeight: Float = 1

  public init() {}

  public func callAsFunction(
    _ prediction: Tensor, targets: [Float], weights: [Float]? = nil, averageFactor: Float? = nil,
    reduction: LossReduction? = nil
  ) -> Tensor {
    elementLoss(
      .smoothL1(beta: beta), prediction, targets, weights, averageFactor, lossWeight, reduction ?? self.reduction)
  }
}

/// mmdetection's `MSELoss`.
public struct MSELoss: Sendable {
  public var reduction = LossReduction.mean
  public var lossWeight: Float = 1

  public init() {}

  public func callAsFunction(
    _ prediction: Tensor, targets: [Float], weights: [Float]? = nil, averageFactor: Float? = nil
  ) -> Tensor {
    elementLoss(.squared, prediction, targets, weights, averageFactor, lossWeight, reduction)
  }
}

private func elementLoss(
  _ loss: ElementLoss, _ prediction: Tensor, _ targets: [Float], _ weights: [Float]?, _ averageFactor: Float?,
  _ lossWeight: Float, _ reduction: LossReduction
) -> Tensor {
  reduction.reduce(
    weights: weights ?? [Float](repeating: 1, count: targets.count), averageFactor: averageFactor,
    lossWeight: lossWeight
  ) { Tensor.elementLosses(loss, of: prediction, targets: targets, weights: $0) }
}

private func oneHot(_ labels: [Int], classes: Int) -> [Float] {
  labels.flatMap { label in (0..<classes).map { $0 == label ? 1 : 0 } }
}

private func repeated(_ weights: [Float], _ count: Int) -> [Float] {
  weights.flatMap { [Float](repeating: $0, count: count) }
}
