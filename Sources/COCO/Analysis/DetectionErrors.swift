/// What is wrong about a detection, or that there is none, in the words of TIDE ("A General Toolbox for Identifying
/// Object Detection Errors", section 2.2).
public enum DetectionErrorKind: String, CaseIterable, Sendable {
  /// In the right place, of another class.
  case classification = "Cls"
  /// Of the right class, not well enough in place.
  case localization = "Loc"
  /// Neither of the right class nor well enough in place.
  case both = "Both"
  /// Of an object that a better detection has found.
  case duplicate = "Dupe"
  /// Where no object is.
  case background = "Bkg"
  /// An object that no detection found, nor would have found with another class or place.
  case missed = "Miss"
}

/// Errors by kind as TIDE counts them, with what each costs.
///
/// The numbers are those of the Python package `tidecv` (mode `bbox`), divided by 100. Its average precision is not
/// COCO's in every point: at most 100 detections of a picture take part, those of all classes together, and the mean
/// is over the classes that have an object or a detection.
public struct DetectionErrors: Hashable, Sendable {
  public struct Kind: Hashable, Sendable {
    public let kind: DetectionErrorKind
    public let count: Int
    /// By the label of the detection, or of the object that was missed.
    public let countsOfLabels: [Int]
    /// By how much the average precision would be higher without these errors alone; not below 0.
    public let deltaAP: Double
  }

  public let overlap: Double
  public let backgroundOverlap: Double
  /// At `overlap`.
  public let averagePrecision: Double
  /// In the order of `DetectionErrorKind.allCases`.
  public let kinds: [Kind]
  /// What would be won if all wrong detections had the least scores.
  public let falsePositiveDeltaAP: Double
  /// What would be won if every object that was not found did not exist.
  public let falseNegativeDeltaAP: Double
  /// Of each detection, as they were given, what is wrong with it; nil for one that is right or takes no part.
  public let kindsOfDetections: [DetectionErrorKind?]
}

extension DetectionErrors {
  init(_ pictures: [AnalysedPicture], labelCount: Int, detectionCount: Int, _ parameters: AnalysisParameters) {
    (overlap, backgroundOverlap) = (parameters.overlap, parameters.backgroundOverlap)
    let judged = pictures.map { ErrorClassifier.judge($0, parameters) }
    let precision = MendedPrecision(pictures: judged, labelCount: labelCount)
    let unmended = precision.unmended
    averagePrecision = unmended
    var ofDetections = [DetectionErrorKind?](repeating: nil, count: detectionCount)
    for found in judged.lazy.flatMap(\.detections) { ofDetections[found.index] = found.error }
    kindsOfDetections = ofDetections
    kinds = DetectionErrorKind.allCases.map { kind in
      var counts = [Int](repeating: 0, count: labelCount)
      for picture in judged {
        for found in picture.detections where found.error == kind { counts[found.label] += 1 }
        for label in picture.missed where kind == .missed { counts[label] += 1 }
      }
      return Kind(
        kind: kind, count: counts.reduce(0, +), countsOfLabels: counts,
        deltaAP: max(0, precision.mended(kind) - unmended))
    }
    falsePositiveDeltaAP = precision.withoutFalsePositives - unmended
    falseNegativeDeltaAP = precision.withoutFalseNegatives - unmended
  }
}
