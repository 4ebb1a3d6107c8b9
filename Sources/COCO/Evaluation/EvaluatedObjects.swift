import Primitives

// What COCO's bounding-box evaluation compares. All numbers are Double, as in pycocotools, so that every comparison
// falls the same way.

/// A box as COCO files hold it: the upper left corner and the size, in pixels.
public struct EvaluationBox: Hashable, BitwiseCopyable, Sendable {
  public var x: Double
  public var y: Double
  public var width: Double
  public var height: Double

  public init(x: Double, y: Double, width: Double, height: Double) {
    (self.x, self.y, self.width, self.height) = (x, y, width, height)
  }

  /// Sizes are differences of the corners taken in Double, as in mmdetection's `xyxy2xywh`.
  public init(_ box: Box) {
    let (x1, y1) = (Double(box.x1), Double(box.y1))
    self.init(x: x1, y: y1, width: Double(box.x2) - x1, height: Double(box.y2) - y1)
  }

  public var area: Double { width * height }

  /// In single precision.
  public var corners: Box { Box(Float(x), Float(y), Float(x + width), Float(y + height)) }

  /// Intersection over union; over the detection's own area where the ground truth is a crowd, because a crowd
  /// region is larger than any one of its members.
  package func overlap(with groundTruth: EvaluationBox, isCrowd: Bool) -> Double {
    let w = min(x + width, groundTruth.x + groundTruth.width) - max(x, groundTruth.x)
    let h = min(y + height, groundTruth.y + groundTruth.height) - max(y, groundTruth.y)
    guard w > 0, h > 0 else { return 0 }
    let intersection = w * h
    return intersection / (isCrowd ? area : area + groundTruth.area - intersection)
  }
}

/// An annotated object.
public struct EvaluationGroundTruth: Hashable, Sendable {
  public var annotationID: Int64
  public var imageID: Int64
  /// The class, 0 ..< labelCount.
  public var label: Int
  public var box: EvaluationBox
  /// The annotation's own `area` (of the mask, as a rule smaller than the box); it decides the size range.
  public var area: Double
  /// A region of many objects: what is detected there counts neither as right nor as wrong.
  public var isCrowd: Bool

  public init(
    annotationID: Int64, imageID: Int64, label: Int, box: EvaluationBox, area: Double, isCrowd: Bool = false
  ) {
    (self.annotationID, self.imageID, self.label) = (annotationID, imageID, label)
    (self.box, self.area, self.isCrowd) = (box, area, isCrowd)
  }
}

/// A detected object, in the coordinates of the picture as it is stored.
public struct EvaluationDetection: Hashable, Sendable {
  public var imageID: Int64
  /// The class, 0 ..< labelCount.
  public var label: Int
  public var box: EvaluationBox
  public var score: Double

  public init(imageID: Int64, label: Int, box: EvaluationBox, score: Double) {
    (self.imageID, self.label, self.box, self.score) = (imageID, label, box, score)
  }
}
