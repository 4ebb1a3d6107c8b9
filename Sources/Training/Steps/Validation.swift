import COCO
import Detection
import Distributed
import Foundation
import Layers
import MPI
import Primitives
import Tensors

/// COCO evaluation on all ranks: each detects on every n-th image, rank 0 gathers and evaluates. No image is padded
/// in or counted twice.
final class Validation {
  /// What an evaluation gave, on rank 0; empty on the others.
  struct Outcome {
    let result: EvaluationResult
    let detections: [EvaluationDetection]

    /// A line for each class with its AP and AP at IoU 0.5, below a heading (`classwise`).
    func classTable(_ classes: [String]) -> [String] {
      let width = max(8, classes.map(\.count).max() ?? 0)
      func padded(_ text: String) -> String { text.padding(toLength: width, withPad: " ", startingAt: 0) }
      let (all, half) = (result.averagePrecisionOfLabels, result.averagePrecision50OfLabels)
      return ["\(padded("category"))  AP     AP50"]
        + classes.indices.map { "\(padded(classes[$0]))  \(fixed(all[$0], 3))  \(fixed(half[$0], 3))" }
    }

    /// mmdetection's names and rounding.
    var metrics: [(String, Double)] { result.mmdetectionMetrics.map { ($0.name, $0.value) } }
  }

  let dataset: CocoDataset
  private let world: World
  private let pipeline: Pipeline
  private let workers: Int
  private let evaluator: CocoEvaluator

  /// - Parameters:
  ///   - classesAmong: the model's classes, given the categories of a file that no `classes` go with; nil where they aren't
  ///     known.
  ///   - model: its classes must be as many as the data set's.
  ///   - scalesDecode: see `Pipeline`.
  /// - Throws: `COCOError`.
  init(
    _ configuration: DatasetConfiguration, classesAmong: ([String]) throws -> [String]?, model: TwoStageConfiguration,
    workers: Int, scalesDecode: Bool, world: World
  ) throws {
    var configuration = configuration
    let file = try SharedAnnotations.load(configuration.annFile, in: world)
    configuration.classes = try configuration.classes ?? classesAmong(file.categories.map(\.name))
    dataset = try CocoDataset(
      file, configuration: configuration, training: false,
      pictures: SharedPictureSource.open(configuration.imgPrefix, in: world))
    try dataset.checkClasses(fit: model)
    pipeline = try Pipeline(configuration.pipeline, scalesDecode: scalesDecode)
    (self.workers, self.world) = (max(1, workers), world)
    let labels = Dictionary(uniqueKeysWithValues: dataset.categoryIDs.enumerated().map { ($1, $0) })
    evaluator = CocoEvaluator(
      imageIDs: dataset.images.indices.map(dataset.images.id), labelCount: dataset.classes.count,
      groundTruths: file.annotations.compactMap { annotation in
        labels[annotation.categoryID].map { EvaluationGroundTruth(annotation, label: $0) }
      })
  }

  /// Detects with the model as it is. Collective; the outcome is rank 0's.
  /// - Throws: `EvaluationAbandoned`, on all ranks, where a signal asks any of them to stop.
  func evaluate(_ model: DetectorModel, progress: (_ done: Int, _ of: Int) -> Void = { _, _ in }) throws -> Outcome? {
    let indices = Array(stride(from: world.rank, to: dataset.images.count, by: world.size))
    let prefetcher = Prefetcher(
      dataset, pipeline, plans: dataset.evaluationPlans(of: indices, batch: 1, pipeline), workers: workers)
    defer { prefetcher.stop() }
    let agreement = StopAgreement(in: world)
    var mine: [FoundObject] = []
    var done = 0
    // All ranks have as many rounds, the last ones perhaps a picture less.
    for _ in stride(from: 0, to: dataset.images.count, by: world.size) {
      if try agreement.isAskedToStop() { throw EvaluationAbandoned() }
      guard let batch = try prefetcher.next() else { continue }
      for detection in try model.detector.detect(batch.input(on: model.engine))[0] {
        mine.append(FoundObject(detection, image: indices[done]))
      }
      done += 1
      progress(done * world.size, dataset.images.count)
    }
    if try agreement.isAgreedAtTheEnd() { throw EvaluationAbandoned() }
    let all = inOrderOfImages(try world.gather(mine))
    guard world.rank == 0 else { return nil }
    return Outcome(result: evaluator.evaluate(all), detections: all)
  }

  /// All ranks' detections, in one order whatever the number of ranks.
  private func inOrderOfImages(_ ranks: [[FoundObject]]) -> [EvaluationDetection] {
    var byImage = [[EvaluationDetection]](repeating: [], count: dataset.images.count)
    for object in ranks.joined() {
      byImage[object.image].append(
        EvaluationDetection(
          imageID: dataset.images.id(at: object.image), label: object.label, box: object.box, score: object.score))
    }
    return byImage.flatMap { $0 }
  }
}

/// A signal asked to stop while a run was being evaluated. All ranks throw it, and the signal is still there.
struct EvaluationAbandoned: ReportedError {
  let description = "stopped by a signal in the evaluation"
  let exitCode = ExitCode.stoppedBySignal
  let scope = ErrorScope.allRanks
}

/// A detection as ranks send it to rank 0.
private struct FoundObject: BitwiseCopyable {
  /// The image's place in the data set.
  let image: Int
  let label: Int
  let box: EvaluationBox
  let score: Double

  init(_ detection: Detection, image: Int) {
    (self.image, label) = (image, detection.label)
    (box, score) = (EvaluationBox(detection.box), Double(detection.score))
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
