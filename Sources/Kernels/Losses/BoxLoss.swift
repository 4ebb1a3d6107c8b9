/// A loss of a predicted box (x1, y1, x2, y2) and its target.
public enum BoxLoss: Equatable, Sendable {
  /// `-log IoU`, or `1 - IoU` (Yu et al., "UnitBox").
  case iou(linear: Bool)
  /// `1 - GIoU` (Rezatofighi et al., "Generalized intersection over union").
  case giou
  /// `1 - DIoU` (Zheng et al., "Distance-IoU loss").
  case diou
  /// `1 - CIoU` (the same paper), as mmdetection 2.11: the weight of the aspect term is differentiated too.
  case ciou
  /// Tychsen-Smith and Petersson, "Improving object localization with fitness NMS and bounded IoU loss".
  case boundedIoU(beta: Double)

  /// The losses that a box has: one, or with `boundedIoU` one for each of x, y, width and height.
  public var parts: Int { if case .boundedIoU = self { 4 } else { 1 } }

  /// Writes `values[i] = weights[i] · loss`, `[rows, parts]`; boxes and targets are `[rows, 4]`.
  public func forward(_ boxes: Floats, targets: [Float], weights: [Float], eps: Double, into values: Floats) {
    for row in 0..<targets.count / 4 {
      for (part, loss) in losses(boxes, targets, row, eps).enumerated() {
        let i = row * parts + part
        values[i] = Float(Double(weights[i]) * loss.value)
      }
    }
  }

  /// Adds to `gradient`, `[rows, 4]`.
  public func backward(
    _ valueGradients: Floats, _ boxes: Floats, targets: [Float], weights: [Float], eps: Double, into gradient: Floats
  ) {
    for row in 0..<targets.count / 4 {
      for (part, loss) in losses(boxes, targets, row, eps).enumerated() {
        let i = row * parts + part
        let slope = Double(valueGradients[i]) * Double(weights[i]) * loss.slope
        for k in 0..<4 { gradient[4 * row + k] += Float(slope[k]) }
      }
    }
  }

  private func losses(_ boxes: Floats, _ targets: [Float], _ row: Int, _ eps: Double) -> [Dual] {
    let prediction = DualBox { k in
      var slope = SIMD4<Double>.zero
      slope[k] = 1
      return Dual(Double(boxes[4 * row + k]), slope: slope)
    }
    let target = DualBox { Dual(Double(targets[4 * row + $0])) }
    switch self {
    case .iou(let linear):
      let iou = prediction.iou(target, eps).atLeast(eps)
      return [linear ? 1 - iou : -1 * Dual.logarithm(iou)]
    case .giou: return [1 - prediction.giou(target, eps)]
    case .diou: return [1 - prediction.diou(target, eps)]
    case .ciou: return [1 - prediction.ciou(target, eps)]
    case .boundedIoU(let beta): return prediction.boundedLosses(target, beta, eps)
    }
  }
}

/// A box of duals. `eps` keeps quotients finite; where it is added is mmdetection's choice.
private struct DualBox {
  var x1, y1, x2, y2: Dual

  init(_ coordinate: (Int) -> Dual) {
    (x1, y1, x2, y2) = (coordinate(0), coordinate(1), coordinate(2), coordinate(3))
  }

  var width: Dual { x2 - x1 }
  var height: Dual { y2 - y1 }
  var area: Dual { width * height }

  func intersection(_ other: DualBox) -> Dual {
    let width = Dual.smaller(x2, other.x2) - Dual.larger(x1, other.x1)
    let height = Dual.smaller(y2, other.y2) - Dual.larger(y1, other.y1)
    return width.atLeast(0) * height.atLeast(0)
  }

  /// The sides of the smallest box around both.
  func enclosure(_ other: DualBox) -> (width: Dual, height: Dual) {
    let width = Dual.larger(x2, other.x2) - Dual.smaller(x1, other.x1)
    let height = Dual.larger(y2, other.y2) - Dual.smaller(y1, other.y1)
    return (width.atLeast(0), height.atLeast(0))
  }

  func iou(_ other: DualBox, _ eps: Double) -> Dual {
    let overlap = intersection(other)
    return overlap / (area + other.area - overlap).atLeast(eps)
  }

  func giou(_ other: DualBox, _ eps: Double) -> Dual {
    let overlap = intersection(other)
    let union = (area + other.area - overlap).atLeast(eps)
    let (width, height) = enclosure(other)
    let enclosed = (width * height).atLeast(eps)
    return overlap / union - (enclosed - union) / enclosed
  }

  /// IoU, less the squared distance of the centres over the squared diagonal of the enclosure.
  func diou(_ other: DualBox, _ eps: Double) -> Dual {
    let overlap = intersection(other)
    let (width, height) = enclosure(other)
    let (dx, dy) = (other.x1 + other.x2 - (x1 + x2), other.y1 + other.y2 - (y1 + y2))
    let distance = 0.25 * (dx.squared + dy.squared)
    return overlap / (area + other.area - overlap + eps) - distance / (width.squared + height.squared + eps)
  }

  func ciou(_ other: DualBox, _ eps: Double) -> Dual {
    let overlap = intersection(other)
    let iou = overlap / (area + other.area - overlap + eps)
    let angle = Dual.arcTangent(other.width / (other.height + eps)) - Dual.arcTangent(width / (height + eps))
    let aspect = 4 / (Double.pi * Double.pi) * angle.squared
    return diou(other, eps) - aspect.squared / (1 - iou + aspect)
  }

  /// For each of x, y, width and height, smooth L1 of 1 minus the best IoU that this coordinate allows.
  func boundedLosses(_ other: DualBox, _ beta: Double, _ eps: Double) -> [Dual] {
    let dx = (0.5 * (other.x1 + other.x2) - 0.5 * (x1 + x2)).magnitude
    let dy = (0.5 * (other.y1 + other.y2) - 0.5 * (y1 + y2)).magnitude
    let bounds = [
      ((other.width - 2 * dx) / (other.width + 2 * dx + eps)).atLeast(0),
      ((other.height - 2 * dy) / (other.height + 2 * dy + eps)).atLeast(0),
      Dual.smaller(other.width / (width + eps), width / (other.width + eps)),
      Dual.smaller(other.height / (height + eps), height / (other.height + eps)),
    ]
    return bounds.map { bound in
      let miss = 1 - bound
      return miss.value < beta ? 0.5 / beta * miss.squared : miss + -0.5 * beta
    }
  }
}
