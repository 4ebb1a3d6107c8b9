import Layers
import Primitives
import Tensors

/// The regression part of a head's loss: what the deltas of its positives should be, and how far they are from it.
/// Common to mmdetection's `AnchorHead` and `BBoxHead`.
struct BoxRegression {
  let coder: any BoxCoder
  let loss: BoxRegressionLoss
  /// `reg_decoded_bbox`: the loss compares boxes in pixels, not deltas.
  let isOfDecodedBoxes: Bool

  /// `[boxes, 4]`.
  func targets(_ boxes: [Box], gtBoxes: [Box]) -> [Float] {
    isOfDecodedBoxes ? gtBoxes.flatMap { [$0.x1, $0.y1, $0.x2, $0.y2] } : coder.encode(boxes, gtBoxes: gtBoxes)
  }

  /// - Parameters:
  ///   - deltas: any shape.
  ///   - elements: the four elements of `deltas` that belong to each positive.
  ///   - boxes: the positives: what the deltas are relative to.
  func callAsFunction(
    _ deltas: Tensor, elements: [Int32], boxes: [Box], targets: [Float], averageFactor: Double
  ) -> Tensor {
    guard isOfDecodedBoxes else {
      return loss(deltas, elements: elements, targets: targets, averageFactor: averageFactor)
    }
    return loss(
      coder.decode(boxes, deltas: deltas, elements: elements), targets: targets, averageFactor: averageFactor)
  }
}
