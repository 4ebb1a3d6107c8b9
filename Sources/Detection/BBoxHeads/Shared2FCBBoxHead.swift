import Layers
import Tensors

/// What the box head says of R regions: `scores` `[R, C + 1]`, the background last; `deltas` `[R, 4·C]`, or `[R, 4]`
/// when class-agnostic.
public struct BBoxHeadOutput {
  public let scores: Tensor
  public let deltas: Tensor
}

/// Two fully connected layers with ReLU, then one for the classes and one for the deltas. mmdetection's
/// `Shared2FCBBoxHead`.
public struct Shared2FCBBoxHead {
  private let configuration: BBoxHeadConfiguration
  private let shared: [Linear]
  private let classifier: Linear
  private let regressor: Linear

  public init(_ configuration: BBoxHeadConfiguration, in scope: LayerScope) {
    self.configuration = configuration
    let side = configuration.roiFeatSize
    let (channels, width) = (configuration.inChannels, configuration.fcOutChannels)
    shared = (0..<configuration.numSharedFcs).map { index in
      let scope = scope.scope("shared_fcs.\(index)")
      guard index == 0 else { return Linear(width, width, initializer: .xavierUniform, in: scope) }
      return Linear(
        channels * side * side, width, layout: .linearOnMap(channels: channels, height: side, width: side),
        initializer: .xavierUniform, in: scope)
    }
    classifier = Linear(width, configuration.numClasses + 1, initializer: .normal(0.01), in: scope.scope("fc_cls"))
    regressor = Linear(
      width, 4 * (configuration.regClassAgnostic ? 1 : configuration.numClasses), initializer: .normal(0.001),
      in: scope.scope("fc_reg"))
  }

  /// `features`: `[R, 7, 7, in]`; their memory becomes that of their gradient.
  public func callAsFunction(_ features: Tensor) -> BBoxHeadOutput {
    var x = features.reshaped([features.shape[0], features.shape.dropFirst().reduce(1, *)])
    for (index, layer) in shared.enumerated() { x = layer(x, relu: true, consumesInput: index == 0) }
    return BBoxHeadOutput(scores: classifier(x), deltas: regressor(x))
  }

  /// The classification loss over all sampled RoIs, and the regression loss of the positives divided by the number of
  /// all of them (mmdetection's choice).
  package func losses(
    _ output: BBoxHeadOutput, _ targets: BBoxTargets, _ normalizers: LossNormalizers
  ) -> (cls: Tensor, bbox: Tensor) {
    let cls = Tensor.softmaxCrossEntropy(
      logits: output.scores, labels: targets.labels.map(Int32.init), weights: targets.labelWeights,
      classWeight: configuration.lossCls.classWeight,
      scale: configuration.lossCls.lossWeight / Float(max(normalizers.weightedRoIs, 1)))
    let bbox = configuration.lossBBox.loss(
      output.deltas, elements: positiveElements(targets, width: output.deltas.shape[1]),
      targets: targets.positiveDeltas, scale: 1 / Float(max(normalizers.roIs, 1)))
    return (cls, bbox)
  }

  /// The deltas of each positive RoI's own class.
  private func positiveElements(_ targets: BBoxTargets, width: Int) -> [Int32] {
    var elements: [Int32] = []
    for (row, label) in targets.labels.enumerated() where label < configuration.numClasses {
      let first = Int32(row * width + (configuration.regClassAgnostic ? 0 : 4 * label))
      elements.append(contentsOf: first..<first + 4)
    }
    return elements
  }
}

extension BoxLossConfiguration {
  /// `scale` · `loss_weight` · Σ over the elements.
  func loss(_ prediction: Tensor, elements: [Int32], targets: [Float], scale: Float) -> Tensor {
    let weights = [Float](repeating: 1, count: elements.count)
    switch kind {
    case .l1:
      return Tensor.l1Loss(
        prediction: prediction, elements: elements, targets: targets, weights: weights, scale: lossWeight * scale)
    case .smoothL1(let beta):
      return Tensor.smoothL1Loss(
        prediction: prediction, elements: elements, targets: targets, weights: weights, beta: beta,
        scale: lossWeight * scale)
    }
  }
}
