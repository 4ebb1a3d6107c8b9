import Foundation
import Primitives

/// `test_cfg.rcnn`.
public struct DetectionConfiguration: Equatable, Sendable {
  public var scoreThr: Float = 0.05
  public var nms = NMSConfiguration()
  /// 0 or less: all.
  public var maxPerImg = 100

  public init() {}
}

/// Makes detections of what the box head says of an image's RoIs; `BBoxHead.get_bboxes` of mmdetection.
public struct DetectionDecoder {
  private let configuration: DetectionConfiguration
  private let numClasses: Int
  private let coder: any BoxCoder

  public init(_ configuration: DetectionConfiguration, head: BBoxHeadConfiguration) {
    self.configuration = configuration
    numClasses = head.numClasses
    coder = head.bboxCoder.make()
  }

  /// - Parameters:
  ///   - rois: the regions that the head has looked at, in pixels of the network's input.
  ///   - scores: logits `[rois, C + 1]`, the background last.
  ///   - deltas: `[rois, C, 4]`, or `[rois, 4]` when class-agnostic; nil: the regions are the boxes (`with_reg: false`).
  ///   - imgShape: what the boxes are clipped to.
  ///   - scaleFactor: what they are divided by then, to give pixels of the original picture; nil leaves them.
  /// - Returns: best first, at most `max_per_img`.
  public func detections(
    rois: [Box], scores: [Float], deltas: [Float]?, imgShape: ImageSize, scaleFactor: (x: Float, y: Float)?
  ) -> [Detection] {
    NonMaximumSuppression.multiclassNMS(
      boxes(rois: rois, deltas: deltas, imgShape: imgShape, scaleFactor: scaleFactor), scores: probabilities(scores),
      numClasses: numClasses, scoreThr: configuration.scoreThr,
      configuration: configuration.nms, maxPerImg: configuration.maxPerImg)
  }

  /// The boxes of all classes, `[rois, C]` (or `[rois]`).
  package func boxes(
    rois: [Box], deltas: [Float]?, imgShape: ImageSize, scaleFactor: (x: Float, y: Float)?
  ) -> [Box] {
    let boxes =
      deltas.map { coder.decode(rois, deltas: $0, maxShape: imgShape) } ?? rois.map { $0.clipped(to: imgShape) }
    guard let (x, y) = scaleFactor else { return boxes }
    return boxes.map { Box($0.x1 / x, $0.y1 / y, $0.x2 / x, $0.y2 / y) }
  }

  /// The softmax of each row.
  package func probabilities(_ logits: [Float]) -> [Float] {
    let width = numClasses + 1
    var values = logits
    for start in stride(from: 0, to: values.count, by: width) {
      let row = start..<start + width
      let largest = values[row].max() ?? 0
      var sum: Float = 0
      for i in row {
        values[i] = exp(values[i] - largest)
        sum += values[i]
      }
      for i in row { values[i] /= sum }
    }
    return values
  }
}
