import COCO
import Detection
import Distributed
import Foundation
import MPI
import Primitives

/// `rcnn-train test`.
public enum TestRun {
  /// Evaluates, and ends the process with the exit code of `sysexits.h`.
  public static func start(_ options: TestOptions) -> Never {
    Boundary.run(singleRank: options.isSingleRank) { world in
      try test(options, world)
      return 0
    }
  }

  private static func test(_ options: TestOptions, _ world: World) throws {
    let read = try options.config.read()
    let progress = try Watchdog.start(world, timeout: read.run.mpi.stallTimeout, workDir: nil)
    try JobChecks(world: world).program("test", [JobFact("the checkpoint", options.checkpoint)], read)
    progress.begin(.reading)
    let section = try read.run.testSection(of: options.config)
    for notice in world.rank == 0 ? read.shippedNotices : [] { print(notice) }
    let test = try DetectorTest(read.run, on: section, checkpoint: options.checkpoint, progress, world)
    guard let outcome = test.outcome else { return }
    let dataset = test.validation.dataset
    if let out = options.out { try write(outcome, dataset, of: read.run.model, to: out) }
    if let warning = outcome.badPictureWarning { LiveLine.printError("warning: \(warning)\n") }
    let isClasswise = options.isClasswise || read.run.evaluation?.classwise == true
    try report(outcome, dataset, isClasswise: isClasswise, options)
  }

  /// Detections; of an RPN proposals, which have mmdetection's category 1, or are a file for Fast R-CNN.
  private static func write(
    _ outcome: Validation.Outcome, _ dataset: CocoDataset, of model: TwoStageConfiguration, to path: String
  ) throws {
    if model.roiHead == nil, let format = ProposalFile.format(of: path) {
      var rows = [Int64: [Float]]()
      for found in outcome.detections {
        let box = found.box.corners
        rows[found.imageID, default: []] += [box.x1, box.y1, box.x2, box.y2, Float(found.score)]
      }
      let images = dataset.images.indices.map { index in
        (id: dataset.images.identifier(at: index), rows: rows[dataset.images.id(at: index)] ?? [])
      }
      return try ProposalFile.write(images, format, to: path)
    }
    try ResultsFile.write(
      outcome.detections, categoryIDs: model.roiHead == nil ? [1] : dataset.categoryIDs,
      identifier: dataset.identifier(ofImage:), to: path)
  }

  /// The metrics, or why there are none.
  private static func report(
    _ outcome: Validation.Outcome, _ dataset: CocoDataset, isClasswise: Bool, _ options: TestOptions
  ) throws {
    if let reason = dataset.reasonForNoMetrics {
      let metrics = options.metrics.map { "; \($0) is not written" } ?? ""
      let found = "\(outcome.detections.count) detections in \(dataset.images.count) images"
      print("\(reason)\(metrics)")
      print(options.out.map { "\(found) are in \($0)" } ?? "\(found) are written nowhere: --out names a file for them")
      return
    }
    let classes = isClasswise ? dataset.classes : []
    if let path = options.metrics {
      try OutputFolder.write(metricsText(outcome, classes), to: path, option: "--metrics")
    }
    for line in outcome.result.summary { print(line) }
    if isClasswise {
      for line in outcome.result.classTable(classes) { print(line) }
    }
    print(outcome.result.metrics.map { "\($0.0): \(fixed($0.1, 4))" }.joined(separator: ", "))
  }

  /// pycocotools' numbers with all their digits, where these are measured; then mmdetection's.
  private static func metricsText(_ outcome: Validation.Outcome, _ classes: [String]) -> String {
    let result = outcome.result
    let metrics = result.metrics.map { ($0.0, JSON.number($0.1)) }
    // VOC's numbers have one name with all digits and in thousandths.
    let statistics = result.statistics.filter { one in !metrics.contains { $0.0 == one.name } }
      .map { ($0.name, JSON.number($0.value)) }
    let copyPaste = result.copyPaste.map { [(Validation.Outcome.copyPasteName, JSON.text($0))] } ?? []
    return JSON.object(statistics + metrics + copyPaste + result.classPrecisions(classes)).lines()
  }
}
