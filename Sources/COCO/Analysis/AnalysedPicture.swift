import Primitives

/// One picture of an analysis.
struct AnalysedPicture {
  let imageID: Int64
  /// In the order in which they were given, crowds among them.
  fileprivate(set) var objects: [EvaluationGroundTruth] = []
  /// In descending order of scores, equal ones as they were given; with their places among all.
  fileprivate(set) var detections: [(index: Int, detection: EvaluationDetection)] = []

  fileprivate init(imageID: Int64) { self.imageID = imageID }

  /// Each picture once, in the order of the ids. What lies in others is left out.
  static func all(
    _ imageIDs: [Int64], labelCount: Int, _ objects: [EvaluationGroundTruth], _ detections: [EvaluationDetection]
  ) -> [AnalysedPicture] {
    var (pictures, places): ([AnalysedPicture], [Int64: Int]) = ([], [:])
    for id in imageIDs where places[id] == nil {
      places[id] = pictures.count
      pictures.append(AnalysedPicture(imageID: id))
    }
    for object in objects {
      require((0..<labelCount).contains(object.label), "label \(object.label) is not below \(labelCount)")
      if let place = places[object.imageID] { pictures[place].objects.append(object) }
    }
    for (index, detection) in detections.enumerated() {
      require((0..<labelCount).contains(detection.label), "label \(detection.label) is not below \(labelCount)")
      if let place = places[detection.imageID] { pictures[place].detections.append((index, detection)) }
    }
    for place in pictures.indices {
      let found = pictures[place].detections
      pictures[place].detections = stableOrder(byDescending: found.map(\.detection.score)).map { found[$0] }
    }
    return pictures
  }
}
