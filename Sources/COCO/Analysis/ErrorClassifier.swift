/// Says of each detection of a picture what is wrong with it: the rules of TIDE, section 2.2, in the order in which
/// `tidecv` asks.
struct ErrorClassifier {
  /// What became of one detection.
  struct Judged {
    let index: Int
    let label: Int
    let score: Double
    fileprivate(set) var isRight = false
    /// In a crowd region: it takes no part, and yet has an error that may be mended.
    fileprivate(set) var isIgnored = false
    fileprivate(set) var error: DetectionErrorKind?
    /// The class of which it would be a right detection if its error were mended; nil where it would be none.
    fileprivate(set) var mendedLabel: Int?
  }

  struct Picture {
    /// In descending order of scores.
    fileprivate(set) var detections: [Judged]
    /// The labels of all objects, of those that no detection found, and of those of them that no mended error would
    /// find either.
    fileprivate(set) var objects: [Int]
    fileprivate(set) var notFound: [Int] = []
    fileprivate(set) var missed: [Int] = []
  }

  /// As many detections of a picture take part.
  static let maximumDetections = 100

  private let overlap: Double
  private let backgroundOverlap: Double
  private let objects: [EvaluationGroundTruth]
  private let detections: ArraySlice<(index: Int, detection: EvaluationDetection)>
  /// One row a detection, one column an object.
  private let overlaps: [[Double]]
  private var isTaken: [Bool]
  /// Whether an error that is mended would find the object.
  private var isWithinReach: [Bool]

  static func judge(_ picture: AnalysedPicture, _ parameters: AnalysisParameters) -> Picture {
    var classifier = ErrorClassifier(picture, parameters)
    return classifier.judge(crowds: picture.objects.filter(\.isCrowd))
  }

  private init(_ picture: AnalysedPicture, _ parameters: AnalysisParameters) {
    (overlap, backgroundOverlap) = (parameters.overlap, parameters.backgroundOverlap)
    let objects = picture.objects.filter { !$0.isCrowd }
    self.objects = objects
    detections = picture.detections.prefix(Self.maximumDetections)
    overlaps = detections.map { found in objects.map { found.detection.box.overlap(with: $0.box, isCrowd: false) } }
    isTaken = objects.map { _ in false }
    isWithinReach = isTaken
  }

  private mutating func judge(crowds: [EvaluationGroundTruth]) -> Picture {
    var judged = detections.map { Judged(index: $0.index, label: $0.detection.label, score: $0.detection.score) }
    for row in judged.indices {
      let free = largest(row) { objects[$0].label == judged[row].label && !isTaken[$0] }
      guard let free, overlaps[row][free] >= overlap else { continue }
      (isTaken[free], judged[row].isRight) = (true, true)
    }
    for (row, found) in detections.enumerated() where !judged[row].isRight {
      judged[row].isIgnored = crowds.contains {
        $0.label == judged[row].label && found.detection.box.overlap(with: $0.box, isCrowd: true) > overlap
      }
    }
    for row in judged.indices where !judged[row].isRight { findError(row, &judged[row]) }
    let notFound = objects.indices.filter { !isTaken[$0] }
    return Picture(
      detections: judged, objects: objects.map(\.label), notFound: notFound.map { objects[$0].label },
      missed: notFound.filter { !isWithinReach[$0] }.map { objects[$0].label })
  }

  private mutating func findError(_ row: Int, _ judged: inout Judged) {
    let label = judged.label
    if let object = largest(row, where: { objects[$0].label == label }),
      overlaps[row][object] >= backgroundOverlap, overlaps[row][object] <= overlap
    {
      judged.error = .localization
      mend(&judged, object)
    } else if let object = largest(row, where: { objects[$0].label != label }), overlaps[row][object] >= overlap {
      judged.error = .classification
      mend(&judged, object)
    } else if let object = largest(row, where: { objects[$0].label == label && isTaken[$0] }),
      overlaps[row][object] >= overlap
    {
      judged.error = .duplicate
    } else if let object = largest(row, where: { _ in true }), overlaps[row][object] > backgroundOverlap {
      judged.error = .both
    } else {
      judged.error = .background
    }
  }

  /// The best of the errors about an object that is free finds it when it is mended; the others vanish.
  private mutating func mend(_ judged: inout Judged, _ object: Int) {
    guard !isTaken[object], !isWithinReach[object] else { return }
    isWithinReach[object] = true
    judged.mendedLabel = objects[object].label
  }

  /// The object that a detection overlaps most, the first of equal ones.
  private func largest(_ row: Int, where isMeant: (Int) -> Bool) -> Int? {
    var best: Int?
    for object in objects.indices where isMeant(object) {
      if let best, overlaps[row][object] <= overlaps[row][best] { continue }
      best = object
    }
    return best
  }
}
