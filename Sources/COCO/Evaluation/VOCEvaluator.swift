import Primitives

/// What Pascal VOC's metric is measured by: `VOCDataset.evaluate` with `metric: mAP`.
public struct VOCParameters: Hashable, Sendable {
  /// `iou_thr`, ascending.
  public var overlaps = [0.5]
  /// VOC 2007's average precision: the mean of the largest precisions at recalls 0, 0.1, … 1; else the area below the curve.
  public var usesElevenPoints = false

  public init() {}
}

/// Mean average precision by Pascal VOC's rule, as mmdetection's `eval_map` computes it.
public struct VOCResult: Hashable, Sendable {
  /// Of one class at one threshold.
  public struct Class: Hashable, Sendable {
    /// Objects that are to be found.
    public let objects: Int
    public let detections: Int
    /// The part of them that all detections find.
    public let recall: Double
    public let averagePrecision: Float
  }

  public let parameters: VOCParameters
  /// For each threshold the classes by their labels.
  public let classes: [[Class]]

  /// Of each threshold, over the classes that have objects; 0 where none has.
  public var means: [Double] {
    classes.map { classes in
      let present = classes.filter { $0.objects > 0 }
      guard !present.isEmpty else { return 0 }
      return Double(present.reduce(Float(0)) { $0 + $1.averagePrecision } / Float(present.count))
    }
  }

  /// mmdetection's numbers: `AP50`, … in thousandths, and `mAP`.
  public var metrics: [(name: String, value: Double)] {
    zip(parameters.overlaps, means).map { (Self.name($0), Double(threeDecimals($1))!) }
      + [("mAP", means.reduce(0, +) / Double(means.count))]
  }

  /// `AP50`; of a threshold as `int(iou_thr * 100)` cuts it.
  public static func name(_ overlap: Double) -> String {
    let percent = Int(overlap * 100)
    return "AP\(percent < 10 ? "0" : "")\(percent)"
  }
}

/// Evaluates detections by Pascal VOC's rule.
public struct VOCEvaluator: Sendable {
  private let images: IdentifierTable
  private let labelCount: Int
  private let groundTruths: [EvaluationGroundTruth]
  private let parameters: VOCParameters

  /// - Parameters:
  ///   - imageIDs: in the order in which equal scores count.
  ///   - labelCount: the number of classes; objects with other labels are left out.
  ///   - groundTruths: crowds are objects that may be found, and need not be (`difficult`).
  ///   - parameters: what is measured.
  public init(
    imageIDs: [Int64], labelCount: Int, groundTruths: [EvaluationGroundTruth], parameters: VOCParameters
  ) {
    images = IdentifierTable(imageIDs)
    (self.labelCount, self.groundTruths, self.parameters) = (labelCount, groundTruths, parameters)
  }

  public func evaluate(_ detections: [EvaluationDetection]) -> VOCResult {
    let objects = grouped(groundTruths, label: \.label, image: \.imageID) {
      VOCBox($0.box, score: 0, isIgnored: $0.isCrowd)
    }
    let found = grouped(detections, label: \.label, image: \.imageID) {
      VOCBox($0.box, score: $0.score, isIgnored: false)
    }
    let classes = parameters.overlaps.map { overlap in
      (0..<labelCount).map { label in
        evaluate(objects[label], found[label], overlap: Float(overlap))
      }
    }
    return VOCResult(parameters: parameters, classes: classes)
  }

  /// By label, then by image in order.
  private func grouped<Object>(
    _ objects: [Object], label: (Object) -> Int, image: (Object) -> Int64, _ box: (Object) -> VOCBox
  ) -> [[Int: [VOCBox]]] {
    var groups = [[Int: [VOCBox]]](repeating: [:], count: labelCount)
    for object in objects {
      guard let place = images[image(object)], groups.indices.contains(label(object)) else { continue }
      groups[label(object)][place, default: []].append(box(object))
    }
    return groups
  }

  private func evaluate(
    _ objects: [Int: [VOCBox]], _ found: [Int: [VOCBox]], overlap: Float
  ) -> VOCResult.Class {
    var (scores, hits): ([Double], [Hit]) = ([], [])
    for image in found.keys.sorted() {
      let boxes = found[image] ?? []
      scores += boxes.map(\.score)
      hits += Self.hits(boxes, objects[image] ?? [], overlap: overlap)
    }
    let count = objects.values.joined().count { !$0.isIgnored }
    var (truePositives, falsePositives) = (0, 0)
    var curve: [(recall: Double, precision: Float)] = []
    for place in stableOrder(byDescending: scores) {
      switch hits[place] {
      case .found: truePositives += 1
      case .wrong: falsePositives += 1
      case .ignored: break
      }
      curve.append(
        (
          Double(truePositives) / max(Double(count), Double(Float.ulpOfOne)),
          Float(truePositives) / max(Float(truePositives + falsePositives), .ulpOfOne)
        ))
    }
    let precision = parameters.usesElevenPoints ? Self.elevenPoints(curve) : Self.area(curve)
    return VOCResult.Class(
      objects: count, detections: scores.count, recall: curve.last?.recall ?? 0, averagePrecision: precision)
  }

  private enum Hit { case found, wrong, ignored }

  /// Of one class in one image, in the order of `boxes`: the best score takes the object that it overlaps most, and what
  /// comes to an object that is taken is wrong, whatever else it overlaps. Those that may be ignored stand last.
  private static func hits(_ boxes: [VOCBox], _ objects: [VOCBox], overlap least: Float) -> [Hit] {
    let objects = objects.filter { !$0.isIgnored } + objects.filter(\.isIgnored)
    var taken = [Bool](repeating: false, count: objects.count)
    var hits = [Hit](repeating: .wrong, count: boxes.count)
    for place in stableOrder(byDescending: boxes.map(\.score)) {
      let overlaps = objects.map { boxes[place].overlap(with: $0) }
      guard let largest = overlaps.max(), largest >= least, let object = overlaps.firstIndex(of: largest) else {
        continue
      }
      if objects[object].isIgnored {
        hits[place] = .ignored
      } else if !taken[object] {
        (taken[object], hits[place]) = (true, .found)
      }
    }
    return hits
  }

  private static func elevenPoints(_ curve: [(recall: Double, precision: Float)]) -> Float {
    let sum = (0...10).reduce(Float(0)) { sum, point in
      // 0.3 is a little more as NumPy counts it, and so it is here.
      let least = Double(point) * 0.1
      return sum + (curve.lazy.filter { $0.recall >= least }.map(\.precision).max() ?? 0)
    }
    return sum / 11
  }

  private static func area(_ curve: [(recall: Double, precision: Float)]) -> Float {
    var precisions = curve.map(\.precision)
    for place in precisions.indices.dropFirst().reversed() {
      precisions[place - 1] = max(precisions[place - 1], precisions[place])
    }
    var (area, before) = (0.0, 0.0)
    for (point, precision) in zip(curve, precisions) where point.recall != before {
      area += (point.recall - before) * Double(precision)
      before = point.recall
    }
    return Float(area)
  }
}

/// A box in single precision, as mmdetection compares them here.
private struct VOCBox {
  let box: Box
  let score: Double
  let isIgnored: Bool

  init(_ box: EvaluationBox, score: Double, isIgnored: Bool) {
    self.box = Box(Float(box.x), Float(box.y), Float(box.x + box.width), Float(box.y + box.height))
    (self.score, self.isIgnored) = (score, isIgnored)
  }

  func overlap(with other: VOCBox) -> Float {
    let width = max(min(box.x2, other.box.x2) - max(box.x1, other.box.x1), 0)
    let height = max(min(box.y2, other.box.y2) - max(box.y1, other.box.y1), 0)
    let (own, others) = (Self.area(box), Self.area(other.box))
    return width * height / max(own + others - width * height, 1e-6)
  }

  private static func area(_ box: Box) -> Float { (box.x2 - box.x1) * (box.y2 - box.y1) }
}
