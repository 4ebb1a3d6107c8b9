import Logging
import MPI

/// Where a run starts: at the beginning, from given weights, or where a checkpoint stopped. Rank 0 reads the file;
/// the others learn the position, and the arrays with the broadcast of all parameters.
struct StartingPoint {
  /// nil for a new run.
  private let resumed: ResumedRun?
  /// On rank 0 what is loaded; nil elsewhere, and where the weights are random.
  private let loaded: LoadedCheckpoint?
  /// What was measured before, on rank 0.
  let record: ValidationRecord
  /// The best checkpoint so far, on rank 0; nil without `evaluation.save_best`.
  let best: BestCheckpoint?
  /// The checkpoints that the run that goes on has in its work directory, oldest first, on rank 0.
  let ownCheckpoints: [CheckpointPlace]

  /// Collective.
  /// - Throws: `CheckpointError`, `RunError`, on rank 0; `MPIError`.
  init(
    _ options: TrainOptions, configuration: RunConfiguration, workDir: String, world: World, logger: Logger
  ) throws {
    var loaded: LoadedCheckpoint?
    var resumed: ResumedRun?
    var record = ValidationRecord()
    if let source = StartingSource.ofResume(options, configuration) {
      if world.rank == 0 { loaded = try LoadedCheckpoint(source, workDir: workDir, logger) }
      if let loaded { record = ValidationRecord(in: workDir, until: loaded.checkpoint.iteration) }
      resumed = try world.shared(loaded.map { try ResumedRun($0.checkpoint, path: $0.path, record: record) })
    }
    if resumed == nil, world.rank == 0 {
      let source = try StartingSource.ofNewRun(options, configuration)
      loaded = try LoadedCheckpoint(source, workDir: workDir, logger)
    }
    (self.resumed, self.loaded, self.record) = (resumed, loaded, record)
    var best = configuration.evaluation.flatMap { evaluation in
      evaluation.saveBest.map { BestCheckpoint($0, byEpoch: evaluation.byEpoch) }
    }
    if resumed != nil, let checkpoint = loaded?.checkpoint {
      best?.resume(from: checkpoint.progress)
      if let entry = record.entry(at: checkpoint.iteration) {
        _ = best?.take(entry.metrics, epoch: entry.epoch, iteration: entry.iteration)
      }
    }
    self.best = best
    let keepsAll = configuration.checkpoint?.maxKeepCkpts == nil
    ownCheckpoints = resumed == nil || keepsAll ? [] : loaded?.ownCheckpoints(in: workDir) ?? []
    if let loaded { logger.info("\(resumed == nil ? "Loading weights from" : "Resuming from") \(loaded.path)") }
  }

  var isResumed: Bool { resumed != nil }

  /// The checkpoint of a run that goes on, on rank 0.
  var resumedFile: KeptCheckpoints.File? {
    guard isResumed, let loaded else { return nil }
    return KeptCheckpoints.File(
      name: ownCheckpoints.last?.name ?? loaded.path, iteration: loaded.checkpoint.iteration)
  }

  /// How it stands with the validation at the place where a run goes on.
  var validation: ResumedRun.Validation { resumed?.validation ?? .none }

  /// The seed of the run that is resumed; nil for a new one.
  var seed: UInt64? { resumed?.seed }

  /// The day on which the run began.
  var created: String { resumed == nil ? Checkpoint.today() : loaded?.checkpoint.created ?? "" }

  /// Takes over weights, and what the optimiser keeps when resuming, on rank 0. The model's store must keep its states.
  /// - Parameter classes: the run's, in its order.
  func load(into model: DetectorModel, classes: [String], _ run: RunSetup) throws {
    guard run.world.rank == 0 else { return }
    defer { if !isResumed, model.store.states.contains(.average) { model.store.startAverages() } }
    if let loaded {
      return try loaded.load(
        into: model, classes: classes, optimizer: run.configuration.optimizer.name, run.logger)
    }
    if run.configuration.model.backbone.frozenStages >= 0 {
      run.logger.warning(
        """
        the weights are random, and model.backbone.frozen_stages: \(run.configuration.model.backbone.frozenStages) keeps \
        the first layers so: name a weight file in model.pretrained or with --load-from, or set it to -1
        """)
    }
  }

  /// - Parameter classes: the run's, in its order.
  /// - Throws: `RunError`, on rank 0, where a run that goes on has others; known before it is looked at how far it is.
  func checkClasses(_ classes: [String]) throws {
    if isResumed { try loaded?.checkClasses(classes) }
  }

  /// - Throws: `RunError` where the checkpoint's place is none of this run's.
  func position(in data: TrainingData, _ run: RunSetup) throws -> Position {
    var position =
      try resumed?.position(globalBatch: data.globalBatch, iterationsPerEpoch: data.iterationsPerEpoch) ?? Position()
    if losesGradients(data, run) { position.accumulated = 0 }
    return position
  }

  /// Whether iterations that waited for their step can't be taken again as they were.
  private func losesGradients(_ data: TrainingData, _ run: RunSetup) -> Bool {
    guard let resumed, resumed.position.accumulated > 0 else { return false }
    let place = resumed.position.iteration % run.configuration.cumulativeIters
    return place != resumed.position.accumulated || resumed.globalBatch != data.globalBatch
      || resumed.data != data.identity
  }

  /// What is other than in the run that goes on, each a sentence.
  func changes(_ options: TrainOptions, _ run: RunSetup, _ data: TrainingData) -> [String] {
    guard let resumed else { return [] }
    let scales = run.configuration.autoScaleLR.enable
    let lost =
      losesGradients(data, run)
      ? [
        "the gradients of the last \(resumed.position.accumulated) iterations, which waited for their step, are lost: "
          + "optimizer_config.cumulative_iters, the global batch or the data set is another one"
      ] : []
    return lost
      + resumed.changes(
        to: data.identity, globalBatch: data.globalBatch, seed: options.seed,
        rateFactor: scales ? Double(data.globalBatch) / Double(resumed.globalBatch) : 1)
  }
}
