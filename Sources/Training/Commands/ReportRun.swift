import COCO
import Distributed
import Foundation
import MPI
import Primitives

/// `rcnn-train report`.
public enum ReportRun {
  /// Writes a page about a work directory, and ends the process with the exit code of `sysexits.h`.
  public static func start(_ options: ReportOptions) -> Never {
    Boundary.run(singleRank: options.isSingleRank) { world in
      try report(options, world)
      return 0
    }
  }

  private static func report(_ options: ReportOptions, _ world: World) throws {
    let configurationPath = Folder.join(options.workDir, "config.yaml")
    try requireRun(in: options.workDir, configurationPath)
    let read = try ReadConfiguration(file: configurationPath, options: options.changes)
    let progress = try Watchdog.start(world, timeout: read.run.mpi.stallTimeout, workDir: nil)
    try JobChecks(world: world).program("report", options.facts, read)
    progress.begin(.reading)
    let out = options.out ?? Folder.join(options.workDir, "report.html")
    if world.rank == 0 { try OutputFolder.requireWritable(out, option: "--out") }
    let checkpoint = try ReportedCheckpoint.find(options.checkpoint, in: options.workDir, world: world)
    let found = try detections(options, read.run, checkpoint, progress, world)
    guard world.rank == 0 else { return }
    let content = ReportContent(
      options: options, read: read, configurationPath: configurationPath, checkpoint: checkpoint,
      history: TrainingHistory(in: options.workDir, countsEpochs: read.run.log.byEpoch), detections: found.detections,
      reasonForNone: found.reason, date: Date())
    try OutputFolder.write(content.page.text, to: out, option: "--out")
    let warnings =
      content.history.notices + (checkpoint?.passedOver ?? []) + [found.detections?.warning].compactMap { $0 }
    for warning in warnings {
      LiveLine.printError("warning: \(warning)\n")
    }
    if let reason = found.reason { print(reason) }
    print("the report is in \(out)")
  }

  /// - Throws: `RunError` (66) where a folder is no work directory of a training.
  private static func requireRun(in workDir: String, _ configuration: String) throws {
    guard !FileManager.default.fileExists(atPath: configuration) else { return }
    let what =
      Folder.exists(workDir)
      ? "this folder holds no config.yaml, which a training writes into its work directory" : "there is no such folder"
    throw RunError(
      "\(workDir): error: \(what); name the work directory of a training (its --work-dir, else work_dirs/<config name>)",
      exitCode: .inputMissing)
  }

  /// On rank 0 what is to be shown of detections, or why nothing is. Collective.
  private static func detections(
    _ options: ReportOptions, _ run: RunConfiguration, _ checkpoint: ReportedCheckpoint?, _ progress: RankProgress,
    _ world: World
  ) throws -> (detections: ReportedDetections?, reason: String?) {
    guard options.evaluates else { return (nil, "Nothing was detected for this report (--no-evaluation).") }
    guard checkpoint != nil || options.detections != nil else {
      return (nil, "The work directory holds no checkpoint yet, so that nothing could be detected.")
    }
    guard let (part, section) = try section(options, run) else {
      return (nil, "The configuration has neither data.val nor data.test, so that nothing could be measured.")
    }
    do {
      let (validation, outcome) = try measured(options, run, section, checkpoint, progress, world)
      guard let outcome else { return (nil, nil) }
      let dataset = validation.dataset
      var parameters = AnalysisParameters()
      parameters.scoreThreshold = options.scoreThr
      let isAnalysed = run.model.roiHead != nil && dataset.reasonForNoMetrics == nil
      let analysis = isAnalysed ? DetectionAnalysis(validation, outcome, parameters) : nil
      let reported = ReportedDetections(
        dataset: dataset, part: part.rawValue, measurement: outcome.result, detections: outcome.detections,
        file: options.detections, analysis: analysis, warning: outcome.badPictureWarning)
      return (reported, nil)
    } catch let error as CommonError where error.exitCode == .inputMissing {
      throw RunError(
        "\(error)\nThe paths of a work directory's config.yaml are those of the training: start 'rcnn-train report' where "
          + "that was started, or change them with --cfg-options; --no-evaluation shows the training's curves alone",
        exitCode: .inputMissing)
    }
  }

  private static func section(
    _ options: ReportOptions, _ run: RunConfiguration
  ) throws -> (part: DataPart, section: DatasetConfiguration)? {
    switch options.part {
    case nil: return run.data.val.map { (.val, $0) } ?? run.data.test.map { (.test, $0) }
    case .val?: if let section = run.data.val { return (.val, section) }
    case .test?: if let section = run.data.test { return (.test, section) }
    case .train?: bug("a report of the training data was not refused")
    }
    let part = options.part?.rawValue ?? ""
    throw RunError(
      "\(options.workDir)/config.yaml: error: 'data.\(part)' is missing; take the other --data",
      exitCode: .configuration)
  }

  /// By the checkpoint, or as a file has them.
  private static func measured(
    _ options: ReportOptions, _ run: RunConfiguration, _ section: DatasetConfiguration,
    _ checkpoint: ReportedCheckpoint?, _ progress: RankProgress, _ world: World
  ) throws -> (Validation, Validation.Outcome?) {
    guard let file = options.detections else {
      guard let checkpoint else { bug("nothing can detect without a checkpoint") }
      let test = try DetectorTest(run, on: section, checkpoint: checkpoint.path, progress, world)
      return (test.validation, test.outcome)
    }
    let validation = try CommonError.during {
      try Validation(
        section,
        classesAmong: { names in
          checkpoint.flatMap { $0.classes.isEmpty || !$0.classes.allSatisfy(names.contains) ? nil : $0.classes }
        },
        model: run.model, rule: run.evaluationRule(for: section), workers: 1, settings: run.mpi, world: world)
    }
    guard world.rank == 0 else { return (validation, nil) }
    let images = validation.dataset.images
    let numbers = Dictionary(
      images.indices.map { (images.identifier(at: $0), images.id(at: $0)) }, uniquingKeysWith: { first, _ in first })
    let detections = try ResultsFile.read(
      file, categoryIDs: run.model.roiHead == nil ? [1] : validation.dataset.categoryIDs, imageID: { numbers[$0] })
    return (validation, validation.measure(detections))
  }
}

extension DetectionAnalysis {
  fileprivate init(_ validation: Validation, _ outcome: Validation.Outcome, _ parameters: AnalysisParameters) {
    let dataset = validation.dataset
    self.init(
      imageIDs: dataset.images.indices.map(dataset.images.id), labelCount: dataset.classes.count,
      groundTruths: validation.groundTruths, detections: outcome.detections, parameters: parameters)
  }
}

extension ReportOptions {
  /// What the command line says besides the configuration.
  fileprivate var facts: [JobFact] {
    [
      JobFact("the work directory", workDir), JobFact("--checkpoint", checkpoint ?? ""),
      JobFact("--detections", detections ?? ""), JobFact("--data", part?.rawValue ?? ""), JobFact("--out", out ?? ""),
      JobFact("--no-evaluation", "\(!evaluates)"),
    ]
  }
}
