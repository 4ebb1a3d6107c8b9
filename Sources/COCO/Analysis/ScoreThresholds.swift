/// What is right and wrong if the detections with at least one score count.
public struct OperatingPoint: Hashable, Sendable {
  /// The least score that counts.
  public let score: Double
  public let truePositives: Int
  public let falsePositives: Int
  /// To be found.
  public let objects: Int

  public var missed: Int { objects - truePositives }
  public var precision: Double { share(truePositives, of: truePositives + falsePositives) }
  public var recall: Double { share(truePositives, of: objects) }
  /// The harmonic mean of precision and recall.
  public var f1: Double { share(2 * truePositives, of: truePositives + falsePositives + objects) }

  private func share(_ part: Int, of all: Int) -> Double { all == 0 ? 0 : Double(part) / Double(all) }
}

/// F1 over the score threshold, with COCO's matching at the analysis' IoU: what lies in a crowd counts neither as
/// right nor as wrong.
public struct ThresholdCurve: Hashable, Sendable {
  public let objects: Int
  public let detections: Int
  /// The highest F1, of equal ones that with the highest score; nil where no detection is right.
  public let best: OperatingPoint?
  /// In descending order of scores, each the score of a detection; where there are more than `curvePoints` scores, so
  /// many at equal steps, with the first, the last and the best among them.
  public let points: [OperatingPoint]
}

/// The score thresholds of all classes together, whose detections and objects are pooled, and of each.
public struct ScoreThresholds: Hashable, Sendable {
  public let overall: ThresholdCurve
  /// By label.
  public let classes: [ThresholdCurve]
}

extension ThresholdCurve {
  /// - Parameters:
  ///   - outcomes: of the detections that count, in any order.
  ///   - count: of points at most, not less than 3.
  init(_ outcomes: [(score: Double, isRight: Bool)], objects: Int, points count: Int) {
    (self.objects, detections) = (objects, outcomes.count)
    let sorted = outcomes.sorted { $0.score > $1.score }
    var (all, right): ([OperatingPoint], Int) = ([], 0)
    for (place, outcome) in sorted.enumerated() {
      right += outcome.isRight ? 1 : 0
      let isLast = place + 1 == sorted.count || sorted[place + 1].score != outcome.score
      guard isLast else { continue }
      all.append(
        OperatingPoint(
          score: outcome.score, truePositives: right, falsePositives: place + 1 - right, objects: objects))
    }
    // The first of equal ones.
    let best = all.indices.reduce(nil as Int?) { best, place in
      all[place].f1 > (best.map { all[$0].f1 } ?? 0) ? place : best
    }
    self.best = best.map { all[$0] }
    points = Self.chosen(all.count, most: max(count, 3), besides: best).map { all[$0] }
  }

  /// Places at equal steps from the first to the last, and one more that must be among them.
  private static func chosen(_ count: Int, most: Int, besides one: Int?) -> [Int] {
    guard count > most else { return Array(0..<count) }
    let steps = most - 1 - (one == nil ? 0 : 1)
    var places = Set((0...steps).map { $0 * (count - 1) / steps })
    if let one { places.insert(one) }
    return places.sorted()
  }
}

extension ScoreThresholds {
  init(_ matches: [PictureMatches], labelCount: Int, points: Int) {
    var outcomes = [[(score: Double, isRight: Bool)]](repeating: [], count: labelCount)
    var objects = [Int](repeating: 0, count: labelCount)
    for picture in matches {
      for found in picture.found where found.outcome != .ignored {
        outcomes[found.detection.label].append((found.detection.score, found.outcome == .truePositive))
      }
      for (label, count) in picture.objectsToFind { objects[label] += count }
    }
    overall = ThresholdCurve(outcomes.flatMap { $0 }, objects: objects.reduce(0, +), points: points)
    classes = (0..<labelCount).map { ThresholdCurve(outcomes[$0], objects: objects[$0], points: points) }
  }
}
