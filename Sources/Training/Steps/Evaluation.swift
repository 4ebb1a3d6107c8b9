import COCO
import Primitives

/// What `evaluation.metric` names, measured on one data set.
struct Evaluation {
  /// Of what was found; nothing for what isn't asked for.
  struct Numbers {
    /// `bbox`.
    fileprivate(set) var classes: EvaluationResult?
    /// `proposal`.
    fileprivate(set) var proposals: EvaluationResult?
    /// `proposal_fast`.
    fileprivate(set) var recalls: [(name: String, value: Double)] = []

    /// The lines that are printed.
    var summary: [String] {
      (classes?.summary ?? []) + (proposals?.summary ?? []) + recalls.map { "\($0.name)  \(fixed($0.value, 4))" }
    }

    /// mmdetection's names and rounding. Of two of one name the later one counts, as there.
    var metrics: [(String, Double)] {
      var metrics: [(String, Double)] = []
      for (name, value) in (classes?.mmdetectionMetrics ?? []) + (proposals?.proposalMetrics ?? []) + recalls {
        metrics.removeAll { $0.0 == name }
        metrics.append((name, value))
      }
      return metrics
    }
  }

  private let dataset: CocoDataset
  private let classes: CocoEvaluator?
  private let proposals: CocoEvaluator?
  private let recall: ProposalRecall?

  init(_ dataset: CocoDataset, _ file: AnnotationFile, _ parameters: EvaluationParameters) {
    self.dataset = dataset
    let objects = dataset.groundTruths(of: file)
    func evaluator(_ parameters: EvaluationParameters, usesCategories: Bool) -> CocoEvaluator {
      CocoEvaluator(
        imageIDs: dataset.images.indices.map(dataset.images.id), labelCount: dataset.classes.count,
        groundTruths: objects, parameters: parameters, usesCategories: usesCategories)
    }
    classes = parameters.metrics.contains(.bbox) ? evaluator(parameters, usesCategories: true) : nil
    var ofProposals = parameters
    ofProposals.maxDets = parameters.proposalNums
    proposals = parameters.metrics.contains(.proposal) ? evaluator(ofProposals, usesCategories: false) : nil
    recall =
      parameters.metrics.contains(.proposalFast)
      ? ProposalRecall(
        groundTruths: dataset.allObjects, counts: parameters.proposalNums, overlaps: parameters.overlaps) : nil
  }

  /// - Parameter detections: image by image, in the order of the data set; an image's best first.
  func evaluate(_ detections: [EvaluationDetection]) -> Numbers {
    var numbers = Numbers()
    numbers.classes = classes?.evaluate(detections)
    numbers.proposals = proposals?.evaluate(detections)
    if let recall { numbers.recalls = recall.averages(boxes(detections)) }
    return numbers
  }

  private func boxes(_ detections: [EvaluationDetection]) -> [[Box]] {
    let places = Dictionary(uniqueKeysWithValues: dataset.images.indices.map { (dataset.images.id(at: $0), $0) })
    var boxes = [[Box]](repeating: [], count: dataset.images.count)
    for detection in detections {
      if let place = places[detection.imageID] { boxes[place].append(detection.box.corners) }
    }
    return boxes
  }
}

extension CocoDataset {
  /// What is to be found, by its labels.
  func groundTruths(of file: AnnotationFile) -> [EvaluationGroundTruth] {
    let labels = Dictionary(uniqueKeysWithValues: categoryIDs.enumerated().map { ($1, $0) })
    return file.annotations.compactMap { annotation in
      labels[annotation.categoryID].map { EvaluationGroundTruth(annotation, label: $0) }
    }
  }
}

extension EvaluationGroundTruth {
  init(_ annotation: AnnotationFile.Annotation, label: Int) {
    self.init(
      annotationID: annotation.id, imageID: annotation.imageID, label: label,
      box: EvaluationBox(x: annotation.x, y: annotation.y, width: annotation.width, height: annotation.height),
      area: annotation.area, isCrowd: annotation.isCrowd)
  }
}
