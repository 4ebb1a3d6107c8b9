import COCO
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
    let budget = try read.run.threadBudget(in: world)
    let model = DetectorModel(read.run.model, seed: 0, threads: budget.threads)
    let weights = try TestWeights(reading: options.checkpoint, world: world)
    let validation = try CommonError.during {
      try Validation(
        section, classesAmong: weights.classes(among:), model: read.run.model, workers: read.run.data.workersPerGPU,
        settings: read.run.mpi, world: world)
    }
    try JobChecks(world: world).data([validation.dataset])
    let check = read.run.mpi.checkPictures ?? .names
    try PictureLookup(world: world, check: check) { progress.tick() }.lookUp([validation.dataset])
    try weights.load(into: model, classes: validation.dataset.classes)
    let sink = LogSink()
    progress.begin(.evaluating)
    let outcome = try validation.evaluate(model) { done, count in
      progress.tick()
      if world.rank == 0 { sink.showProgress("\(min(done, count)) of \(count) images") }
    }
    progress.begin(.ending)
    guard let outcome else { return }
    sink.showProgress("")
    if let out = options.out {
      try ResultsFile.write(outcome.detections, categoryIDs: validation.dataset.categoryIDs, to: out)
    }
    if let path = options.metrics { try OutputFolder.write(metricsText(outcome.result), to: path) }
    if let warning = outcome.badPictureWarning { FileHandle.standardError.write(Data("warning: \(warning)\n".utf8)) }
    for line in outcome.result.summary { print(line) }
    if options.isClasswise || read.run.evaluation?.classwise == true {
      for line in outcome.classTable(validation.dataset.classes) { print(line) }
    }
    print(outcome.metrics.map { "\($0.0): \(fixed($0.1, 4))" }.joined(separator: ", "))
  }

  private static let statisticNames = [
    "AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl",
  ]

  private static func metricsText(_ result: EvaluationResult) -> String {
    JSON.object(zip(statisticNames, result.statistics).map { ($0, .number($1)) }).lines()
  }
}
