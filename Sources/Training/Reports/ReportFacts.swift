import COCO
import Foundation
import MPI
import Primitives

/// A checkpoint as a report speaks of it: what it says of itself, without its arrays.
package struct ReportedCheckpoint: Codable {
  package let path: String
  let producer: String
  let created: String
  let epoch: Int
  let iteration: Int
  let worldSize: Int
  let globalBatch: Int
  let seed: UInt64
  let classes: [String]
  let iterationsPerEpoch: Int?
  /// About damaged ones that are newer.
  let passedOver: [String]

  init(_ checkpoint: Checkpoint, path: String, passedOver: [String] = []) {
    (self.path, self.passedOver) = (path, passedOver)
    (producer, created) = (checkpoint.producer, checkpoint.created)
    (epoch, iteration, seed) = (checkpoint.epoch, checkpoint.iteration, checkpoint.seed)
    (worldSize, globalBatch, classes) = (checkpoint.worldSize, checkpoint.globalBatch, checkpoint.classes)
    iterationsPerEpoch = checkpoint.progress["iterations_per_epoch"]
  }

  /// The named one, else the newest good one of a work directory; nil where it has none. Rank 0 reads; all ranks get to
  /// know it. Collective.
  /// - Throws: `CheckpointError`, on rank 0; `MPIError`.
  static func find(_ path: String?, in workDir: String, world: World) throws -> ReportedCheckpoint? {
    var found: ReportedCheckpoint?
    if world.rank == 0 {
      if let path {
        let read = try Checkpoint.weights(reading: path)
        found = ReportedCheckpoint(read.checkpoint, path: path, passedOver: read.notices)
      } else if let newest = try CheckpointFolder.newestOfRun(in: workDir) {
        found = ReportedCheckpoint(newest.checkpoint, path: newest.path, passedOver: newest.passedOver)
      }
    }
    return try world.shared(found)
  }
}

/// Detections on a data set, with the numbers that tell how good they are.
struct ReportedDetections {
  let dataset: CocoDataset
  /// `val` or `test`.
  let part: String
  let measurement: Measurement
  let detections: [EvaluationDetection]
  /// The file that they were read from; nil: made by the checkpoint.
  let file: String?
  /// nil for an RPN, and where nothing can be measured.
  let analysis: DetectionAnalysis?
  /// Pictures that count as those in which nothing was found.
  let warning: String?
}

/// All that a report tells.
struct ReportContent {
  let options: ReportOptions
  let read: ReadConfiguration
  /// Where the configuration was read.
  let configurationPath: String
  let checkpoint: ReportedCheckpoint?
  let history: TrainingHistory
  let detections: ReportedDetections?
  /// Why there are no detections.
  let reasonForNone: String?
  let date: Date

  var page: Page {
    let sections =
      [RunSection(self).section, TrainingSection(self).section] + evaluationSections + [configurationSection]
    return Page(
      title: "Report of \(name)", summary: summary, sections: sections,
      producer: "\(Version.producer), \(timestamp(date))")
  }

  /// The run's, which is its work directory's.
  var name: String {
    let path = URL(fileURLWithPath: options.workDir).standardizedFileURL.lastPathComponent
    return path.isEmpty ? options.workDir : path
  }

  private var summary: Markup {
    let trained = checkpoint.map {
      $0.iteration == 0
        ? "of \($0.path)" : "trained for \(count($0.epoch, "epoch")) (\(count($0.iteration, "iteration")))"
    }
    let measured = detections.map { "measured on \($0.dataset.summary.path)" }
    let parts = [trained, measured].compactMap { $0 }
    return .paragraph(
      parts.isEmpty ? "There is no checkpoint yet." : "\(parts.joined(separator: ", ")).".capitalizedFirst)
  }

  private var evaluationSections: [PageSection] {
    let titles = [
      ("numbers", "Numbers"), ("classes", "Classes"), ("curves", "Precision and recall"),
      ("threshold", "Score threshold"), ("confusion", "Confusion matrix"), ("errors", "Errors by kind"),
      ("pictures", "Best and worst pictures"),
    ]
    guard let detections else {
      return titles.map { PageSection($0.0, $0.1, missing: reasonForNone ?? "There are no detections.") }
    }
    let measured = [NumbersSection(detections).section, ClassesSection(detections).section]
    guard let analysis = detections.analysis else {
      let reason = detections.reasonForNoAnalysis
      return measured + titles.dropFirst(2).map { PageSection($0.0, $0.1, missing: reason) }
    }
    return measured + [
      CurvesSection(detections.dataset.classes, analysis).section,
      ThresholdSection(detections.dataset.classes, analysis).section,
      ConfusionSection(detections.dataset.classes, analysis).section,
      ErrorsSection(detections.dataset.classes, analysis).section,
      PicturesSection(detections, analysis, count: options.pictures).section,
    ]
  }

  private var configurationSection: PageSection {
    PageSection(
      "configuration", "Configuration",
      [
        "<details><summary>\(configurationPath), as it was resolved</summary><pre>\(read.resolved)</pre></details>"
      ])
  }
}

extension ReportedDetections {
  /// Why there is nothing but numbers.
  var reasonForNoAnalysis: String {
    dataset.reasonForNoMetrics
      ?? "The detector is an RPN, whose proposals are of no class: recall is all that is measured."
  }
}

/// `2026-01-31 12:00`, in local time.
func timestamp(_ date: Date) -> String { String(RunLogHandler.timestamp(date).prefix(16)) }

/// `1 epoch`, `2 epochs`.
func count(_ number: Int, _ noun: String, _ plural: String? = nil) -> String {
  "\(number) \(number == 1 ? noun : plural ?? "\(noun)s")"
}

/// With three significant digits.
func significant(_ value: Double) -> String { String(format: "%.3g", value) }

extension String {
  var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
