import Foundation
import Primitives

/// `bbox_coder`, type `DeltaXYWHBBoxCoder`.
public struct DeltaXYWHBBoxCoderConfiguration: Equatable, Sendable {
  public var targetMeans: [Float]
  public var targetStds: [Float]
  /// Whether decoded boxes are clipped to the picture.
  public var clipBorder: Bool
  /// `LegacyDeltaXYWHBBoxCoder`, of mmdetection 1: a box names its last pixel, so that its sides are one longer, and ends
  /// one before the picture's edge.
  public var isLegacy = false

  public init(targetMeans: [Float] = [0, 0, 0, 0], targetStds: [Float] = [1, 1, 1, 1], clipBorder: Bool = true) {
    (self.targetMeans, self.targetStds, self.clipBorder) = (targetMeans, targetStds, clipBorder)
  }
}

/// Boxes as (dx, dy, dw, dh) relative to others (Girshick et al., "Rich feature hierarchies", appendix C), normalised
/// by `target_means` and `target_stds`. mmdetection's `DeltaXYWHBBoxCoder`:
///
///     dx = (gx − px) / pw,  dw = log(gw / pw),  the same for y and h; (px, py) centres, pw and ph sizes
public struct DeltaXYWHBBoxCoder: BoxCoder {
  private let means: SIMD4<Float>
  private let stds: SIMD4<Float>
  private let clipBorder: Bool
  /// What sides are longer than the difference of coordinates.
  private let extent: Float

  public init(_ configuration: DeltaXYWHBBoxCoderConfiguration) {
    means = SIMD4(configuration.targetMeans)
    stds = SIMD4(configuration.targetStds)
    clipBorder = configuration.clipBorder
    extent = configuration.isLegacy ? 1 : 0
  }

  /// Four deltas a box that turn `boxes[i]` into `gtBoxes[i]`. Nothing is guarded: a box without extent gives
  /// infinities or NaN.
  public func encode(_ boxes: [Box], gtBoxes: [Box]) -> [Float] {
    require(boxes.count == gtBoxes.count, "\(boxes.count) boxes for \(gtBoxes.count) ground truths")
    var deltas: [Float] = []
    deltas.reserveCapacity(4 * boxes.count)
    for (box, gt) in zip(boxes, gtBoxes) {
      let delta = encode(box, gt)
      for axis in 0..<4 { deltas.append(delta[axis]) }
    }
    return deltas
  }

  /// The boxes that the deltas make of `boxes`.
  ///
  /// - Parameters:
  ///   - boxes: anchors or proposals.
  ///   - deltas: `[boxes, C, 4]`, C (1 or the number of classes) following from the count.
  ///   - maxShape: with `clip_border`, coordinates are clipped to [0, width] and [0, height], both inclusive.
  ///   - whRatioClip: |dw| and |dh| are at most |log(whRatioClip)|; dx and dy aren't bounded.
  /// - Returns: `[boxes, C]`.
  public func decode(
    _ boxes: [Box], deltas: [Float], maxShape: ImageSize?, whRatioClip: Double
  ) -> [Box] {
    let copies = deltasABox(boxes, deltas)
    let clip = Clip(maxShape: clipBorder ? maxShape : nil, extent: extent, whRatioClip: whRatioClip)
    var decoded: [Box] = []
    decoded.reserveCapacity(boxes.count * copies)
    for (i, box) in boxes.enumerated() {
      for c in i * copies..<(i + 1) * copies { decoded.append(decode(box, delta(deltas, c), clip)) }
    }
    return decoded
  }

  /// The gradient by the deltas, `[boxes, C, 4]`, for the gradient by the decoded boxes' x1, y1, x2, y2 of the same
  /// shape. Zero through clipped coordinates and clamped dw, dh.
  public func decodeGradient(
    _ boxes: [Box], deltas: [Float], boxGradients: [Float], maxShape: ImageSize?, whRatioClip: Double
  ) -> [Float] {
    require(deltas.count == boxGradients.count, "\(boxGradients.count) gradients for \(deltas.count) deltas")
    let copies = deltasABox(boxes, deltas)
    let clip = Clip(maxShape: clipBorder ? maxShape : nil, extent: extent, whRatioClip: whRatioClip)
    var gradients: [Float] = []
    gradients.reserveCapacity(deltas.count)
    for (i, box) in boxes.enumerated() {
      for c in i * copies..<(i + 1) * copies {
        let gradient = decodeGradient(box, delta(deltas, c), delta(boxGradients, c), clip)
        for axis in 0..<4 { gradients.append(gradient[axis]) }
      }
    }
    return gradients
  }

  public func decode(_ boxes: [Box], deltas: [Float], maxShape: ImageSize?) -> [Box] {
    decode(boxes, deltas: deltas, maxShape: maxShape, whRatioClip: Self.defaultWHRatioClip)
  }

  public func decodeGradient(_ boxes: [Box], deltas: [Float], boxGradients: [Float]) -> [Float] {
    decodeGradient(
      boxes, deltas: deltas, boxGradients: boxGradients, maxShape: nil, whRatioClip: Self.defaultWHRatioClip)
  }

  public static let defaultWHRatioClip = 16.0 / 1000

  private struct Clip {
    let maxSize: SIMD4<Float>?
    let maxLogRatio: Float

    init(maxShape: ImageSize?, extent: Float, whRatioClip: Double) {
      maxSize = maxShape.map { size in
        let (right, bottom) = (Float(size.width) - extent, Float(size.height) - extent)
        return SIMD4(right, bottom, right, bottom)
      }
      maxLogRatio = Float(abs(log(whRatioClip)))
    }
  }

  private func encode(_ box: Box, _ gt: Box) -> SIMD4<Float> {
    let (width, height) = (box.width + extent, box.height + extent)
    let dx = ((gt.x1 + gt.x2) * 0.5 - (box.x1 + box.x2) * 0.5) / width
    let dy = ((gt.y1 + gt.y2) * 0.5 - (box.y1 + box.y2) * 0.5) / height
    return (SIMD4(dx, dy, log((gt.width + extent) / width), log((gt.height + extent) / height)) - means) / stds
  }

  /// x1, y1, x2, y2 before clipping.
  private func corners(_ box: Box, _ denormalised: SIMD4<Float>, _ clip: Clip) -> SIMD4<Float> {
    let limit = clip.maxLogRatio
    let (across, down) = (box.width + extent, box.height + extent)
    let width = across * exp(min(max(denormalised.z, -limit), limit))
    let height = down * exp(min(max(denormalised.w, -limit), limit))
    let x = (box.x1 + box.x2) * 0.5 + across * denormalised.x
    let y = (box.y1 + box.y2) * 0.5 + down * denormalised.y
    return SIMD4(x - width * 0.5, y - height * 0.5, x + width * 0.5, y + height * 0.5)
  }

  private func decode(_ box: Box, _ delta: SIMD4<Float>, _ clip: Clip) -> Box {
    var corners = corners(box, delta * stds + means, clip)
    if let maxSize = clip.maxSize { corners = clipped(corners, maxSize) }
    return Box(corners.x, corners.y, corners.z, corners.w)
  }

  /// As torch's `where`: NaN stays, so that a divergence is seen (a SIMD clamp would make it 0).
  private func clipped(_ corners: SIMD4<Float>, _ maxSize: SIMD4<Float>) -> SIMD4<Float> {
    var corners = corners
    corners.replace(with: SIMD4<Float>.zero, where: corners .< SIMD4<Float>.zero)
    corners.replace(with: maxSize, where: corners .> maxSize)
    return corners
  }

  private func decodeGradient(
    _ box: Box, _ delta: SIMD4<Float>, _ gradient: SIMD4<Float>, _ clip: Clip
  ) -> SIMD4<Float> {
    let denormalised = delta * stds + means
    var gradient = gradient
    if let maxSize = clip.maxSize {
      let corners = corners(box, denormalised, clip)
      gradient.replace(with: 0, where: (corners .< .zero) .| (corners .> maxSize))
    }
    let limit = clip.maxLogRatio
    let (across, down) = (box.width + extent, box.height + extent)
    let byWidth = abs(denormalised.z) <= limit ? across * exp(denormalised.z) : 0
    let byHeight = abs(denormalised.w) <= limit ? down * exp(denormalised.w) : 0
    return stds
      * SIMD4(
        (gradient.x + gradient.z) * across, (gradient.y + gradient.w) * down,
        (gradient.z - gradient.x) * 0.5 * byWidth, (gradient.w - gradient.y) * 0.5 * byHeight)
  }

  private func deltasABox(_ boxes: [Box], _ deltas: [Float]) -> Int {
    let copies = boxes.isEmpty ? 0 : deltas.count / (4 * boxes.count)
    require(copies * 4 * boxes.count == deltas.count, "\(deltas.count) deltas for \(boxes.count) boxes")
    return copies
  }

  private func delta(_ deltas: [Float], _ index: Int) -> SIMD4<Float> {
    SIMD4(deltas[4 * index], deltas[4 * index + 1], deltas[4 * index + 2], deltas[4 * index + 3])
  }
}
