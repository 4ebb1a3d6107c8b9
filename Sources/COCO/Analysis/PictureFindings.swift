/// What was found in one picture, and what was not.
public struct PictureFinding: Hashable, Sendable {
  public enum Outcome: Hashable, Sendable {
    case truePositive
    case falsePositive
    /// Counts neither as right nor as wrong, as it lies in a crowd.
    case ignored
  }

  public struct Found: Hashable, Sendable {
    public let detection: EvaluationDetection
    /// The place among the detections that were analysed.
    public let index: Int
    public let outcome: Outcome
    /// The place in `objects` of what it found.
    public let object: Int?
    /// TIDE's word for what is wrong.
    public let error: DetectionErrorKind?
  }

  public struct Object: Hashable, Sendable {
    public let groundTruth: EvaluationGroundTruth
    public let isFound: Bool
    /// To be found and not found; never so of a crowd.
    public var isMissed: Bool { !isFound && !groundTruth.isCrowd }
  }

  public let imageID: Int64
  /// Those with at least the threshold's score, in descending order of scores.
  public let found: [Found]
  public let objects: [Object]

  public var truePositives: Int { found.count { $0.outcome == .truePositive } }
  public var falsePositives: Int { found.count { $0.outcome == .falsePositive } }
  public var missed: Int { objects.count(where: \.isMissed) }
  /// Wrong detections and missed objects.
  public var errors: Int { falsePositives + missed }
  /// 2 · right / (2 · right + wrong + missed); 1 where there is nothing to find and nothing was found.
  public var f1: Double {
    let right = 2 * truePositives
    return right + errors == 0 ? 1 : Double(right) / Double(right + errors)
  }
}

/// The pictures at one score threshold, matched as COCO does at the analysis' IoU.
public struct PictureFindings: Hashable, Sendable {
  /// The least score of a detection that counts: that of the best F1 of all classes together, or the confusion matrix's
  /// where there is none.
  public let threshold: Double
  /// In ascending order of ids.
  public let all: [PictureFinding]

  /// Those with an error, the lowest F1 first; of equal ones the one with more errors, then the lower id.
  public func worst(_ count: Int) -> [PictureFinding] {
    let wrong = all.filter { $0.errors > 0 }
    return Array(wrong.sorted { ($0.f1, -$0.errors, $0.imageID) < ($1.f1, -$1.errors, $1.imageID) }.prefix(count))
  }

  /// Those with a right detection, the highest F1 first; of equal ones the one with more right detections, then the
  /// lower id.
  public func best(_ count: Int) -> [PictureFinding] {
    let right = all.filter { $0.truePositives > 0 }
    return Array(
      right.sorted { (-$0.f1, -$0.truePositives, $0.imageID) < (-$1.f1, -$1.truePositives, $1.imageID) }
        .prefix(count))
  }
}

extension PictureFindings {
  init(_ matches: [PictureMatches], threshold: Double) {
    self.threshold = threshold
    all = matches.map { PictureFinding($0, threshold: threshold) }.sorted { $0.imageID < $1.imageID }
  }
}

extension PictureFinding {
  fileprivate init(_ matches: PictureMatches, threshold: Double) {
    imageID = matches.imageID
    found = matches.found.filter { $0.detection.score >= threshold }
    let places = Set(found.compactMap(\.object))
    objects = matches.objects.enumerated().map { place, object in
      Object(groundTruth: object, isFound: places.contains(place))
    }
  }
}
