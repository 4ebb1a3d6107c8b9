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
    let result: Measurement
    let detections: [EvaluationDetection]
    /// Those that count as pictures in which nothing was found.
    let badPictures: [FoundBadPicture]

    var badPictureWarning: String? {
      guard !badPictures.isEmpty else { return nil }
      let count = badPictures.count == 1 ? "1 picture" : "\(badPictures.count) pictures"
      return "\(count) of the evaluation could not be used and count as if nothing was found in them, so that the "
        + "numbers are too low (mpi.on_bad_picture: skip):\(BadPictureList.lines(badPictures))"
    }

    static let copyPasteName = "bbox_mAP_copypaste"
  }

  let dataset: CocoDataset
  private let file: AnnotationFile
  private let world: World
  private let pipeline: Pipeline
  private let workers: Int
  private let evaluate: ([EvaluationDetection]) -> Measurement
  private let settings: MPISection

  /// - Parameters:
  ///   - classesAmong: the model's classes, given the categories of a file that no `classes` go with; nil where they aren't
  ///     known.
  ///   - model: its classes must be as many as the data set's.
  ///   - rule: how it is measured.
  ///   - settings: what becomes of bad pictures, and whether JPEGs are decoded at a reduced scale.
  /// - Throws: `COCOError`.
  init(
    _ configuration: DatasetConfiguration, classesAmong: ([String]) throws -> [String]?, model: TwoStageConfiguration,
    rule: EvaluationRule, workers: Int, settings: MPISection, world: World
  ) throws {
    var configuration = configuration
    let file = try SharedAnnotations.load(configuration, in: world)
    self.file = file
    configuration.classes = try configuration.classes ?? classesAmong(file.categories.map(\.name))
    dataset = try CocoDataset(
      file, configuration: configuration, training: false,
      pictures: SharedPictureSource.open(configuration.pictureFolder, in: world),
      proposals: SharedProposals.load(configuration.proposals, for: file, in: world))
    try dataset.checkClasses(fit: model)
    pipeline = try Pipeline(configuration.pipeline, scalesDecode: settings.scaledDecode == .always)
    (self.workers, self.world, self.settings) = (max(1, workers), world, settings)
    switch rule {
    case .coco(let parameters):
      let evaluation = Evaluation(dataset, file, parameters)
      evaluate = { .coco(evaluation.evaluate($0)) }
    case .voc(let parameters):
      let evaluator = VOCEvaluator(
        imageIDs: dataset.images.indices.map(dataset.images.id), labelCount: dataset.classes.count,
        groundTruths: dataset.groundTruths(of: file), parameters: parameters)
      evaluate = { .voc(evaluator.evaluate($0)) }
    }
  }

  /// What is to be found.
  var groundTruths: [EvaluationGroundTruth] { dataset.groundTruths(of: file) }

  /// Measures detections that come from elsewhere.
  /// - Parameter detections: in any order.
  func measure(_ detections: [EvaluationDetection]) -> Outcome {
    let places = Dictionary(uniqueKeysWithValues: dataset.images.indices.map { (dataset.images.id(at: $0), $0) })
    let sorted = detections.enumerated().sorted { one, other in
      let (mine, others) = (places[one.element.imageID] ?? .max, places[other.element.imageID] ?? .max)
      if mine != others { return mine < others }
      let (score, otherScore) = (one.element.score, other.element.score)
      return score == otherScore ? one.offset < other.offset : score > otherScore
    }.map(\.element)
    return Outcome(result: evaluate(sorted), detections: sorted, badPictures: [])
  }

  /// Detects with the model as it is. Collective; the outcome is rank 0's.
  /// - Throws: on all ranks `EvaluationAbandoned` where a signal asks any of them to stop, `BadPicturesInEvaluation`.
  func evaluate(_ model: DetectorModel, progress: (_ done: Int, _ of: Int) -> Void = { _, _ in }) throws -> Outcome? {
    let indices = Array(stride(from: world.rank, to: dataset.images.count, by: world.size))
    let prefetcher = Prefetcher(
      dataset, pipeline, plans: dataset.evaluationPlans(of: indices, batch: 1, pipeline), workers: workers)
    defer { prefetcher.stop() }
    let agreement = StopAgreement(in: world)
    var (mine, bad): ([FoundObject], [BadPicture]) = ([], [])
    var done = 0
    var isLeft = false
    // All ranks have as many rounds, the last ones perhaps a picture less.
    for _ in stride(from: 0, to: dataset.images.count, by: world.size) {
      isLeft = try agreement.isAskedToStop(wishes: bad.count > mostBadPictures)
      guard !isLeft else { break }
      do {
        guard let batch = try prefetcher.next() else { continue }
        for detection in try detections(model, batch) {
          mine.append(FoundObject(detection, image: indices[done]))
        }
      } catch let error as COCOError {
        bad.append(BadPicture(indices[done], of: dataset, error: error, place: indices[done]))
      }
      done += 1
      progress(done * world.size, dataset.images.count)
    }
    if try !isLeft && agreement.isAgreedAtTheEnd() { isLeft = true }
    let found = try world.badPictures(bad).all.sorted { $0.picture.place < $1.picture.place }
    if found.count > mostBadPictures {
      throw BadPicturesInEvaluation(found, ranks: world.size, limit: mostBadPictures)
    }
    guard !isLeft else { throw EvaluationAbandoned() }
    let all = inOrderOfImages(try world.gather(mine))
    guard world.rank == 0 else { return nil }
    return Outcome(result: evaluate(all), detections: all, badPictures: found)
  }

  private func detections(_ model: DetectorModel, _ batch: Batch) throws -> [Detection] {
    do {
      return try model.detector.detect(batch.input(on: model.engine))[0]
    } catch let error as DivergenceError {
      throw error.calling("\(dataset.identifier(ofImage: error.image))")
    }
  }
  private var mostBadPictures: Int { settings.onBadPicture == .skip ? settings.maxBadPictures : 0 }

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

/// Pictures without which nothing is measured: what is left out would make the numbers wrong. All ranks throw it.
struct BadPicturesInEvaluation: ReportedError {
  let error: RunError

  /// - Parameters:
  ///   - found: at least one.
  ///   - limit: so many were allowed.
  init(_ found: [FoundBadPicture], ranks: Int, limit: Int) {
    let others = found.count > 1 ? "; the others:\(BadPictureList.lines(Array(found.dropFirst())))" : ""
    let remedy =
      limit == 0
      ? "or let 'mpi.on_bad_picture: skip' count it as one in which nothing is found"
      : "of \(found.count), more than 'mpi.max_bad_pictures: \(limit)' allows"
    error = RunError(
      "\(found[0].sentence(ranks: ranks)): nothing is measured without it; mend it, \(remedy)\(others)",
      exitCode: found[0].picture.error.exitCode)
  }

  var description: String { error.description }
  var exitCode: ExitCode { error.exitCode }
  var scope: ErrorScope { error.scope }
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
