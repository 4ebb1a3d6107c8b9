import Primitives

/// How the detections of one picture fared, whatever their scores: COCO's matching at one IoU threshold, all sizes.
struct PictureMatches {
  let imageID: Int64
  /// The picture's own order.
  let objects: [EvaluationGroundTruth]
  /// In descending order of scores, equal ones as they were given. No more of a class than are counted.
  private(set) var found: [PictureFinding.Found] = []
  /// By label, how many there are to find.
  private(set) var objectsToFind: [(label: Int, count: Int)] = []

  /// - Parameters:
  ///   - matcher: of one threshold and all sizes.
  ///   - limit: how many detections of a class count.
  ///   - errors: the kind of each detection's error.
  init(_ picture: AnalysedPicture, _ matcher: inout ClassMatcher, limit: Int, errors: [DetectionErrorKind?]) {
    (imageID, objects) = (picture.imageID, picture.objects)
    let labels = Set(objects.map(\.label) + picture.detections.map(\.detection.label)).sorted()
    for label in labels {
      let places = objects.indices.filter { objects[$0].label == label }
      let groundTruths = places.map { objects[$0] }[...]
      let detections = picture.detections.filter { $0.detection.label == label }.prefix(limit)
      let matches = matcher.matches(
        label: label, groundTruths: groundTruths, detections: detections.map(\.detection))
      let partners = matcher.partners(groundTruths: groundTruths, detections: detections.map(\.detection))
      objectsToFind.append((label, Int(matches.groundTruthCounts[0])))
      for (row, (index, detection)) in detections.enumerated() {
        let outcome = matches.detections[row].outcome
        found.append(
          PictureFinding.Found(
            detection: detection, index: index, outcome: outcome,
            object: outcome == .falsePositive ? nil : partners[row].map { places[$0] },
            error: outcome == .falsePositive ? errors[index] : nil))
      }
    }
    found.sort {
      $0.detection.score != $1.detection.score ? $0.detection.score > $1.detection.score : $0.index < $1.index
    }
  }

  static func all(
    _ pictures: [AnalysedPicture], _ parameters: AnalysisParameters, errors: [DetectionErrorKind?]
  ) -> [PictureMatches] {
    var evaluation = EvaluationParameters()
    (evaluation.overlaps, evaluation.areaRanges) = ([parameters.overlap], [])
    var matcher = ClassMatcher(evaluation)
    let limit = parameters.maxDets[parameters.maxDets.count - 1]
    return pictures.map { PictureMatches($0, &matcher, limit: limit, errors: errors) }
  }
}

extension DetectionMatch {
  /// At the first threshold, of all sizes.
  fileprivate var outcome: PictureFinding.Outcome {
    if ignored.value(0) == 1 { return .ignored }
    return matched.value(0) == 1 ? .truePositive : .falsePositive
  }
}
