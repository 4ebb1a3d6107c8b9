import Kernels
import Primitives
import Tensors

/// How the four numbers that a head says of a box stand for another box.
public protocol BoxCoder: Sendable {
  /// Four numbers a box that turn `boxes[i]` into `gtBoxes[i]`, `[boxes, 4]`.
  func encode(_ boxes: [Box], gtBoxes: [Box]) -> [Float]

  /// The boxes that the deltas make of `boxes`, `[boxes, C]`, and what their gradients are.
  /// - Parameters:
  ///   - boxes: anchors or proposals.
  ///   - deltas: `[boxes, C, 4]`, C (1 or the number of classes) following from the count.
  ///   - maxShape: what they are clipped to, where the coder clips at all; nil: they aren't.
  func decode(_ boxes: [Box], deltas: [Float], maxShape: ImageSize?) -> [Box]

  /// The gradient by the deltas, `[boxes, 4]`, for the gradient by the x1, y1, x2, y2 of `decode` without `maxShape`.
  func decodeGradient(_ boxes: [Box], deltas: [Float], boxGradients: [Float]) -> [Float]
}

/// `bbox_coder`.
public enum BoxCoderConfiguration: Equatable, Sendable {
  case deltaXYWH(DeltaXYWHBBoxCoderConfiguration)

  public func make() -> any BoxCoder {
    switch self {
    case .deltaXYWH(let configuration): DeltaXYWHBBoxCoder(configuration)
    }
  }
}

extension BoxCoder {
  /// The boxes as a tensor `[boxes, 4]` with its way back: for losses of decoded boxes (`reg_decoded_bbox`).
  /// - Parameters:
  ///   - deltas: any shape.
  ///   - elements: the four elements of `deltas` that belong to each box.
  func decode(_ boxes: [Box], deltas: Tensor, elements: [Int32]) -> Tensor {
    require(4 * boxes.count == elements.count, "\(elements.count) deltas for \(boxes.count) boxes")
    let chosen = elements.map { deltas.values[Int($0)] }
    let decoded = decode(boxes, deltas: chosen, maxShape: nil)
    let output = Tensor(
      [boxes.count, 4], decoded.flatMap { [$0.x1, $0.y1, $0.x2, $0.y2] }, on: deltas.engine,
      needsGradient: deltas.needsGradient)
    guard output.needsGradient else { return output }
    let (dy, target, count) = (output.gradientSlot, deltas.gradientSlot, output.count)
    deltas.engine.tape?.record(output) {
      let gradient = decodeGradient(boxes, deltas: chosen, boxGradients: (0..<count).map { dy.values[$0] })
      let sum = target.toAddTo()
      for (element, value) in zip(elements, gradient) { sum[Int(element)] += value }
    }
    return output
  }
}
