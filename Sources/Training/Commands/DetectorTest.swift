import COCO
import Distributed
import Foundation
import MPI
import Primitives

/// A checkpoint's detections on a data set, measured: what `test` and `report` do alike, on all ranks.
struct DetectorTest {
  let validation: Validation
  /// On rank 0.
  let outcome: Validation.Outcome?

  /// Collective.
  /// - Parameters:
  ///   - section: the data set.
  ///   - checkpoint: a file, or a folder of them.
  /// - Throws: `COCOError`, `CheckpointError`, `RunError`, `MPIError`, and what `Validation.evaluate` throws.
  init(
    _ run: RunConfiguration, on section: DatasetConfiguration, checkpoint: String, _ progress: RankProgress,
    _ world: World
  ) throws {
    let sink = LogSink()
    // What is printed is what was asked for, and nothing else.
    let stages = world.rank == 0 ? Stages(sink, logger: nil) : nil
    defer { stages?.end() }
    stages?.begin("Reading the checkpoint")
    let budget = try run.threadBudget(in: world)
    let model = DetectorModel(run.model, seed: 0, threads: budget.threads)
    let weights = try TestWeights(reading: checkpoint, world: world)
    stages?.begin("Reading the annotations")
    validation = try CommonError.during {
      try Validation(
        section, classesAmong: weights.classes(among:), model: run.model, rule: run.evaluationRule(for: section),
        workers: run.data.workersPerGPU, settings: run.mpi, world: world)
    }
    try JobChecks(world: world).data([validation.dataset])
    stages?.begin("Looking up the pictures")
    let check = run.mpi.checkPictures ?? .names
    try PictureLookup(world: world, check: check) { progress.tick() }.lookUp([validation.dataset])
    stages?.end()
    if world.rank == 0 {
      for finding in validation.dataset.summary.findings { print("\(finding.level.rawValue): \(finding.text)") }
    }
    try weights.load(into: model, classes: validation.dataset.classes)
    progress.begin(.evaluating)
    outcome = try validation.evaluate(model) { done, count in
      progress.tick()
      if world.rank == 0 { sink.showProgress("\(min(done, count)) of \(count) images") }
    }
    progress.begin(.ending)
    if world.rank == 0 { sink.wipeProgress() }
  }
}
