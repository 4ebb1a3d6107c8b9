import COCO
import Detection
import Distributed
import Foundation
import Layers
import Logging
import MPI
import Tensors

/// `rcnn-train train`.
public enum TrainRun {
  /// Trains, and ends the process with the exit code of `sysexits.h`.
  public static func start(_ options: TrainOptions) -> Never {
    Boundary.run(singleRank: options.isSingleRank, signals: .starting) { world in try train(options, world) }
  }

  private static func train(_ options: TrainOptions, _ world: World) throws -> Int32 {
    let (run, start) = try setUp(options, world)
    defer { run.directory?.release() }
    defer { run.stages?.end() }
    if options.config.path == nil { try Quickstart.makeData(run) }
    run.progress.begin(.reading)
    run.stages?.begin("Reading the annotations")
    let data = try CommonError.during { try TrainingData(run) }
    let plan = RunPlan(run.configuration, iterationsPerEpoch: data.iterationsPerEpoch, validates: options.validates)
    let validation = try CommonError.during { try plan.evaluates ? makeValidation(run, data) : nil }
    let named = [("train", data.dataset)] + (validation.map { [("val", $0.dataset)] } ?? [])
    let datasets = try lookUp(named, run, check: options.isDryRun ? .headers : .names)
    run.progress.begin(.starting)
    let position = try CommonError.during { try start.position(in: data, run) }
    for change in start.changes(options, run, data) { run.logger.warning("\(change)") }
    try start.checkClasses(data.dataset.classes)
    if options.isDryRun {
      run.stages?.end()
      if world.rank == 0 { try DryRun(run: run, data: data, plan: plan, datasets: datasets).print(start) }
      return 0
    }
    if start.isResumed, plan.isDone(position), validation == nil || start.validation != .due {
      run.logger.info("The run is finished, at epoch \(position.epoch), iteration \(position.iteration): nothing to do")
      return 0
    }
    run.stages?.begin("Making the detector")
    let order = CollectiveOrder(progress: run.progress)
    let statistics = world.size > 1 ? try SynchronizedStatistics(world: world, order: order) : nil
    let model = DetectorModel(
      run.configuration.model, seed: run.seed, threads: run.threads, synchronizer: statistics)
    try JobChecks(world: world).model(model, seed: run.seed)
    try InjectionError.check(run.configuration.mpi.inject, ranks: world.size, store: model.store)
    model.store.keep(run.configuration.parameterStates)
    try start.load(into: model, classes: data.dataset.classes, run)
    if world.size > 1 { run.stages?.begin("Sending the parameters to all ranks") }
    try ParameterBroadcast.run(model.store, world: world, order: order)
    let metrics = try openLogs(run, plan, position, validation?.dataset)
    announce(run, data, datasets, model)
    if world.size > 1 { run.stages?.begin("Measuring the exchange of gradients") }
    let step = try TrainingStep(
      model: model, world: world, configuration: run.configuration, order: order, injector: run.injector)
    let checkpoints = CheckpointKeeper(run: run, data: data, model: model, plan: plan, start: start)
    defer { checkpoints.abandon() }
    let trainer = Trainer(
      run: run, plan: plan, model: model, step: step, data: data, metrics: metrics, checkpoints: checkpoints,
      validation: validation, position: position)
    guard try !StopAgreement.isAskedToStop(in: world) else {
      run.logger.info("Stopped by a signal before the first step; nothing is to be saved")
      return RunError.ExitCode.stoppedBySignal.rawValue
    }
    Signals.use(.training)
    run.stages?.begin("Taking the first step")
    defer { run.progress.begin(.ending) }
    switch try trainer.train(validated: start.validation) {
    case .done: return 0
    case .stoppedBySignal:
      run.logger.info("Stopped by a signal after saving; go on with --resume auto")
      return RunError.ExitCode.stoppedBySignal.rawValue
    }
  }

  /// - Parameters:
  ///   - named: the data sets by their place in `data`.
  ///   - check: what is looked at where the configuration doesn't say it.
  /// - Returns: what is to be told of them, on rank 0.
  private static func lookUp(
    _ named: [(String, CocoDataset)], _ run: RunSetup, check: PictureCheck
  ) throws -> [RunDataset] {
    try JobChecks(world: run.world).data(named.map(\.1))
    run.stages?.begin("Looking up the pictures")
    let lookup = PictureLookup(world: run.world, check: run.configuration.mpi.checkPictures ?? check) {
      run.progress.tick()
    }
    let pictures = try lookup.lookUp(named.map(\.1))
    var datasets = run.world.rank == 0 ? RunDataset.all(named) : []
    for (index, report) in pictures.enumerated() { datasets[index].add(report) }
    return datasets
  }

  private static func setUp(_ options: TrainOptions, _ world: World) throws -> (RunSetup, StartingPoint) {
    let read = try options.config.read()
    let workDir = options.workDir ?? read.run.workDir
    let progress = try Watchdog.start(world, timeout: read.run.mpi.stallTimeout, workDir: workDir)
    let checks = JobChecks(world: world)
    try checks.program("train", options.facts, read)
    let processorNotice = try checks.processors(mustBeEqual: read.run.mpi.reduction == .exact)
    let sink = LogSink()
    let logger = RunSetup.logger(rank: world.rank, sink: sink)
    let stages = world.rank == 0 ? Stages(sink, logger: logger) : nil
    let budget = try CommonError.during {
      try read.run.threadBudget(in: world)
    }
    let batchNotice = try read.run.checkGlobalBatch(ranks: world.size)
    let notices = read.notices + [processorNotice, budget.notice, batchNotice].compactMap { $0 }
    for notice in notices where world.rank == 0 {
      logger.notice("\(notice)")
    }
    // Before anything is read there: what is found must not change any more.
    let directory = world.rank == 0 ? try WorkDirectory(workDir, logger, isTrial: options.isDryRun) : nil
    stages?.begin("Reading what to start from")
    let start = try WorkDirectory.releasing(directory) {
      try StartingPoint(options, configuration: read.run, workDir: workDir, world: world, logger: logger)
    }
    let run = RunSetup(
      world: world, read: read, workDir: workDir, directory: directory,
      seed: start.seed ?? options.seed ?? UInt64(read.run.seed), threads: budget.threads, logger: logger, sink: sink,
      stages: stages,
      injector: Injector(read.run.mpi.inject, rank: world.rank, workDir: workDir), progress: progress)
    return (run, start)
  }

  private static func makeValidation(_ run: RunSetup, _ data: TrainingData) throws -> Validation? {
    guard let section = run.configuration.data.val else { return nil }
    let validation = try Validation(
      section, classesAmong: { _ in data.dataset.classes }, model: run.configuration.model,
      rule: run.configuration.evaluationRule(for: section), workers: run.configuration.data.workersPerGPU,
      settings: run.configuration.mpi, world: run.world)
    try validation.dataset.checkGroundTruth()
    return validation
  }

  /// Rank 0's files in the work directory: `config.yaml`, `<time>.log`, `<time>.log.json`.
  private static func openLogs(
    _ run: RunSetup, _ plan: RunPlan, _ position: Position, _ validation: CocoDataset?
  ) throws -> MetricsLog? {
    guard run.world.rank == 0 else { return nil }
    let stem = CheckpointKeeper.logStem(in: run.workDir, at: Date())
    try run.sink.open("\(stem).log")
    try OutputFolder.write(run.read.resolved, to: "\(run.workDir)/config.yaml")
    let maxIterations = plan.maxIterations(from: position, inEpoch: position.images / run.globalBatch)
    let tensorBoard = run.configuration.log.tensorBoard.map {
      TensorBoardLog($0, run, validation, maxIterations: maxIterations, done: position.iteration)
    }
    let metrics = try MetricsLog(
      logger: run.logger, sink: run.sink, jsonPath: "\(stem).log.json", tensorBoard: tensorBoard,
      section: run.configuration.log, maxIterations: maxIterations, done: position.iteration)
    metrics.writeJSON([
      ("env_info", .text("\(Version.producer), \(run.world.size) ranks, \(run.threads) threads a rank")),
      ("seed", .unsigned(run.seed)), ("exp_name", .text((run.workDir as NSString).lastPathComponent)),
    ])
    return metrics
  }

  private static func announce(
    _ run: RunSetup, _ data: TrainingData, _ datasets: [RunDataset], _ model: DetectorModel
  ) {
    guard run.world.rank == 0 else { return }
    let logger = run.logger
    logger.info(
      "\(run.world.size) ranks (\(run.world.localSize) on this node) × \(run.threads) threads, global batch \(run.globalBatch), seed \(run.seed)"
    )
    for part in datasets {
      logger.info("\(part.name): \(part.dataset.summary)")
      for finding in part.findings {
        logger.log(level: finding.level == .warning ? .warning : .notice, "\(part.name): \(finding.text)")
      }
    }
    logger.info("classes: \(data.dataset.classes.joined(separator: ", "))")
    let bytes = ParameterCopy.byteCount(of: model.store)
    if let warning = run.directory?.roomWarning(checkpointBytes: bytes) { logger.warning("\(warning)") }
    let unused = ParameterTreatments(run.configuration.optimizer, model.store).unusedKeys(in: model.store)
    if !unused.isEmpty {
      let keys = unused.map { "'\($0)'" }.joined(separator: ", ")
      logger.warning(
        "optimizer.paramwise_cfg.custom_keys: \(keys) is a part of no trainable parameter's name: not used")
    }
    logger.info(
      "\(model.store.trainableCount) trainable parameters; \(data.iterationsPerEpoch) iterations an epoch; lr \(run.scaledLearningRate)"
    )
  }
}

extension RunSetup {
  /// Rank 0 logs everything, the others what goes wrong.
  static func logger(rank: Int, sink: LogSink) -> Logger {
    Logger(label: "mmdet") { name in
      RunLogHandler(name: name, level: rank == 0 ? .info : .error, sink: sink)
    }
  }
}
