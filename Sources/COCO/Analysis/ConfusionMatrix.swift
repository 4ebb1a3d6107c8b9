/// Which classes are taken for which.
///
/// In each picture the detections with at least `scoreThreshold` come in descending order of scores (equal ones as
/// they were given), of whatever class. Each takes, of the objects that are still free, the one that it overlaps most
/// if that is at least `overlap`; of equal ones the first of its own class, or else the first. A detection that takes
/// none is one of the background, unless it lies in a crowd region of its class by as much of its own area: then it
/// counts nowhere, and neither do crowd regions. An object that nothing took is missed.
public struct ConfusionMatrix: Hashable, Sendable {
  public let labelCount: Int
  public let overlap: Double
  public let scoreThreshold: Double
  /// [row, column]: `labelCount` + 1 rows of as many columns. A row is the class of an object, the last one the
  /// background; a column is the class of a detection, the last one for what was missed. The last of the last is 0.
  public let counts: [[Int]]

  /// The column of what was missed, and the row of the background.
  public var last: Int { labelCount }

  /// Of each row the shares of its columns, or nil for a row without a count.
  public var shares: [[Double]?] {
    counts.map { row in
      let sum = row.reduce(0, +)
      return sum == 0 ? nil : row.map { Double($0) / Double(sum) }
    }
  }
}

extension ConfusionMatrix {
  init(_ pictures: [AnalysedPicture], labelCount: Int, _ parameters: AnalysisParameters) {
    (self.labelCount, overlap, scoreThreshold) = (labelCount, parameters.overlap, parameters.scoreThreshold)
    var counts = [[Int]](repeating: [Int](repeating: 0, count: labelCount + 1), count: labelCount + 1)
    for picture in pictures {
      Self.count(picture, least: parameters.overlap, scores: parameters.scoreThreshold, last: labelCount, in: &counts)
    }
    self.counts = counts
  }

  private static func count(
    _ picture: AnalysedPicture, least: Double, scores: Double, last: Int, in counts: inout [[Int]]
  ) {
    let objects = picture.objects.filter { !$0.isCrowd }
    var isFree = [Bool](repeating: true, count: objects.count)
    for (_, detection) in picture.detections where detection.score >= scores {
      var (best, largest): (Int?, Double) = (nil, least)
      for (place, object) in objects.enumerated() where isFree[place] {
        let overlap = detection.box.overlap(with: object.box, isCrowd: false)
        let isBetter = best.map {
          overlap > largest || overlap == largest && detection.isPreferred(object, to: objects[$0])
        }
        if isBetter ?? (overlap >= least) { (best, largest) = (place, overlap) }
      }
      if let best {
        isFree[best] = false
        counts[objects[best].label][detection.label] += 1
      } else if !picture.isInCrowd(detection, least: least) {
        counts[last][detection.label] += 1
      }
    }
    for (place, object) in objects.enumerated() where isFree[place] { counts[object.label][last] += 1 }
  }
}

extension EvaluationDetection {
  /// Whether an object is of the detection's class and an earlier one isn't.
  fileprivate func isPreferred(_ object: EvaluationGroundTruth, to earlier: EvaluationGroundTruth) -> Bool {
    object.label == label && earlier.label != label
  }
}

extension AnalysedPicture {
  fileprivate func isInCrowd(_ detection: EvaluationDetection, least: Double) -> Bool {
    objects.contains {
      $0.isCrowd && $0.label == detection.label && detection.box.overlap(with: $0.box, isCrowd: true) >= least
    }
  }
}
