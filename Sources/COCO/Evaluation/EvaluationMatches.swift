/// A bit for each size range and IoU threshold.
struct MatchBits: Hashable, Sendable {
  static let capacity = 128

  private var words = SIMD2<UInt64>()

  mutating func insert(_ place: Int) { words[place >> 6] |= 1 << UInt64(place & 63) }
  mutating func remove(_ place: Int) { words[place >> 6] &= ~(1 << UInt64(place & 63)) }
  /// 1 or 0.
  func value(_ place: Int) -> Int { Int(truncatingIfNeeded: words[place >> 6] >> UInt64(place & 63) & 1) }
}

/// How one detection fared: a bit for each size range, threshold by threshold.
public struct DetectionMatch: Hashable, Sendable {
  public var score: Double
  /// Set where a ground truth was found.
  var matched = MatchBits()
  /// Set where the detection counts neither as right nor as wrong.
  var ignored = MatchBits()
}

/// The matches of one class in one picture.
public struct ClassMatches: Hashable, Sendable {
  public var label: Int
  /// Ground truths to be found, for each size range.
  var groundTruthCounts = SIMD16<Int32>()
  /// In descending order of scores.
  var detections: [DetectionMatch]
}

/// Everything that the statistics need of one picture. Pictures are matched independently of each other.
public struct ImageMatches: Hashable, Sendable {
  /// The picture's position in the evaluator's `imageIDs`.
  public var imageIndex: Int
  /// Classes with neither a ground truth nor a detection are absent.
  public var classes: [ClassMatches]

  public init(imageIndex: Int, classes: [ClassMatches]) {
    (self.imageIndex, self.classes) = (imageIndex, classes)
  }
}
