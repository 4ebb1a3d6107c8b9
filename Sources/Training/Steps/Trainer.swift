import COCO
import Distributed
import Foundation
import Layers

/// The training loop. Each rank works on its slice of every global batch; everything that ranks must agree on goes
/// through the step's one report.
final class Trainer {
  private let run: RunSetup
  private let plan: RunPlan
  private let model: DetectorModel
  private let data: TrainingData
  private let step: TrainingStep
  private let schedule: LearningRateSchedule
  private let metrics: MetricsLog?
  private let checkpoints: CheckpointKeeper
  private let validation: Validation?
  private let badPictures: BadPictures
  private var position: Position
  /// Where this process began.
  private let firstIteration: Int
  /// How many iterations the run will have at its end.
  private let plannedIterations: Int
  /// What signals asked for that nobody has followed yet.
  private var wishes = StepWishes()

  init(
    run: RunSetup, plan: RunPlan, model: DetectorModel, step: TrainingStep, data: TrainingData,
    metrics: MetricsLog?, checkpoints: CheckpointKeeper, validation: Validation?, position: Position
  ) {
    (self.run, self.plan, self.model, self.step, self.data) = (run, plan, model, step, data)
    (self.metrics, self.checkpoints) = (metrics, checkpoints)
    (self.validation, self.position, firstIteration) = (validation, position, position.iteration)
    plannedIterations = plan.maxIterations(from: position, inEpoch: position.images / data.globalBatch)
    badPictures = BadPictures(run)
    schedule = LearningRateSchedule(
      configuration: run.configuration.learningRate, baseRate: run.scaledLearningRate,
      iterationsPerEpoch: data.iterationsPerEpoch, maxEpochs: plan.maxEpochs, maxIterations: plan.maxIterations)
  }

  /// How a run ended.
  enum Outcome { case done, stoppedBySignal }

  /// A checkpoint comes before the validation of its place, which may take long: a run that is stopped between them makes
  /// it up when it goes on.
  /// - Parameter before: how it stands with the validation at the place where the run goes on.
  func train(validated before: ResumedRun.Validation) throws -> Outcome {
    let open = position.accumulated
    data.start(at: position.before(open, batch: data.globalBatch, imagesPerEpoch: data.imagesPerEpoch))
    defer { data.stop() }
    try reopenWindow(open)
    if let validation, before == .due || before == .none && plan.evaluationIsDueAtFirst(position) {
      if before == .due { run.logger.info("Making up for the validation at iteration \(position.iteration)") }
      guard try isEvaluated(validation) else { return .stoppedBySignal }
    }
    while !plan.isDone(position) {
      let wishes = try advance()
      try checkpoints.settle()
      let epochIsDone = position.images >= data.imagesPerEpoch
      if epochIsDone || wishes.stop || plan.isDone(position) { reportBadPictures() }
      if epochIsDone { position.beginNextEpoch() }
      if replicaCheckIsDue { try replicas.run(iteration: position.iteration) }
      try save(wishes, epochIsDone: epochIsDone)
      if wishes.stop { return try stopped() }
      if let validation, plan.evaluationIsDue(position, epochIsDone: epochIsDone), try !isEvaluated(validation) {
        try save(at: position, .last)
        return try stopped()
      }
    }
    run.progress.begin(.saving)
    try checkpoints.finish()
    return .done
  }

  /// Takes the iterations of an open window again, for their gradients alone: a checkpoint holds no sums, of which each rank
  /// has its own, and the parameters have not moved since the window began.
  private func reopenWindow(_ open: Int) throws {
    guard open > 0 else { return }
    run.logger.info("Gathering the gradients of the \(open) iterations that wait for their step again")
    var place = position.before(open, batch: data.globalBatch, imagesPerEpoch: data.imagesPerEpoch)
    for _ in 0..<open {
      if place.images >= data.imagesPerEpoch { place.beginNextEpoch() }
      run.progress.beginStep(place.iteration + 1)
      let batch = try data.next()
      let outcome = try step.run(
        on: batch.input(on: model.engine), seed: run.seed, epoch: place.epoch, iteration: place.iteration,
        window: window(of: place), isRepeated: true, learningRate: 0, badPictures: batch.badPictures.count,
        acceptsBadPictures: { try badPictures.accepts(batch) })
      if let failure = badPictures.failure { throw failure }
      wishes.add(outcome.wishes)
      place.advance(by: data.globalBatch)
    }
  }

  private func window(of position: Position) -> GradientWindow {
    GradientWindow(of: position.iteration, every: run.configuration.cumulativeIters, until: plannedIterations)
  }

  private func save(_ wishes: StepWishes, epochIsDone: Bool) throws {
    if wishes.stop || plan.isDone(position) {
      try save(at: position, .last)
    } else if checkpoints.isDue(position, epochIsDone: epochIsDone) {
      try save(at: position, .due)
    } else if wishes.save {
      try save(at: position, .requested)
    }
  }

  /// A replica that is not what the others are is never saved.
  private func save(at position: Position, _ occasion: CheckpointKeeper.Occasion) throws {
    run.progress.begin(.saving)
    if run.configuration.mpi.checkInterval == nil { try replicas.run(iteration: position.iteration) }
    try checkpoints.save(at: position, occasion)
  }

  /// What ends the run because of pictures, once what is done is saved; it is in the log by then, so that it isn't lost
  /// where that fails.
  private func saved(before failure: RunError) throws -> RunError {
    reportBadPictures()
    if run.world.rank == 0 { run.logger.error("\(failure)") }
    let isNew = position.iteration > firstIteration
    if isNew {
      try save(at: position, .last)
      try checkpoints.finish()
    }
    let steps =
      isNew ? "The training up to iteration \(position.iteration) is saved" : "No step was done since the start"
    let way = position.iteration > 0 ? "; go on with --resume auto" : ""
    return RunError("\(failure)\n\(steps)\(way)", exitCode: failure.exitCode)
  }

  /// Those of the epoch so far.
  private func reportBadPictures() {
    let found = badPictures.endEpoch()
    guard !found.isEmpty, run.world.rank == 0 else { return }
    let count = found.count == 1 ? "1 bad picture" : "\(found.count) bad pictures"
    run.logger.warning("Epoch \(position.epoch + 1) met \(count):\(BadPictureList.lines(found))")
    metrics?.recordBadPictures(epoch: position.epoch + 1, found)
  }

  private func stopped() throws -> Outcome {
    run.progress.begin(.saving)
    try checkpoints.finish()
    return .stoppedBySignal
  }

  /// One step on the next global batch.
  private func advance() throws -> StepWishes {
    run.progress.beginStep(position.iteration + 1)
    let start = ContinuousClock.now
    try run.injector?.beginStep(position.iteration + 1)
    let batch = try data.next()
    let input = batch.input(on: model.engine)
    let dataTime = start.duration(to: .now)
    let (now, window) = (position, window(of: position))
    let lr = schedule.rate(epoch: now.epoch, iteration: now.iteration)
    let outcome = try step.run(
      on: input, seed: run.seed, epoch: now.epoch, iteration: now.iteration, updates: now.updates, window: window,
      learningRate: lr,
      rate: { self.schedule.rate(epoch: now.epoch, iteration: now.iteration, factor: $0) },
      badPictures: batch.badPictures.count, readingSeconds: dataTime.seconds,
      acceptsBadPictures: { try badPictures.accepts(batch) })
    run.stages?.end()
    if let failure = badPictures.failure { throw try saved(before: failure) }
    if let defect = outcome.defect {
      try NonFiniteSteps(run: run, dataset: data.dataset).handle(
        defect, outcome.losses,
        images: data.globalImageIDs(
          at: position, replacements: outcome.hasBadPictures ? badPictures.replacements : [:]), at: position)
      position.skipped += 1
    }
    position.advance(by: data.globalBatch)
    position.updates += outcome.isUpdated ? 1 : 0
    position.accumulated = window.isLast ? 0 : position.accumulated + 1
    if Signals.takeHangUp() { run.logger.notice("The terminal or the connection to it is gone; the training goes on") }
    metrics?.record(
      MetricsLog.Step(
        epoch: position.epoch + 1, iteration: position.images / data.globalBatch,
        iterationsPerEpoch: data.iterationsPerEpoch, lr: lr, losses: outcome.losses,
        gradNorm: outcome.gradNorm, seconds: start.duration(to: .now).seconds, dataSeconds: dataTime.seconds,
        sync: outcome.sync, isTaken: outcome.defect == nil, skipped: position.skipped,
        badPictures: badPictures.count))
    defer { wishes = StepWishes() }
    wishes.add(outcome.wishes)
    return wishes
  }

  private var replicas: ReplicaCheck {
    ReplicaCheck(store: model.store, world: run.world, workers: model.engine.workers)
  }

  /// After every `mpi.check_interval` steps; else `save` compares.
  private var replicaCheckIsDue: Bool {
    guard let interval = run.configuration.mpi.checkInterval, interval > 0 else { return false }
    return position.iteration % interval == 0
  }

  /// False where a signal asks to stop: the evaluation is then made no further.
  private func isEvaluated(_ validation: Validation) throws -> Bool {
    do {
      try validate(validation)
      return true
    } catch is EvaluationAbandoned {
      run.logger.info("A signal asks to stop: the evaluation after iter \(position.iteration) is left")
      return false
    } catch let failure as BadPicturesInEvaluation {
      throw try saved(before: failure.error)
    }
  }

  private func validate(_ validation: Validation) throws {
    run.progress.begin(.evaluating)
    try checkpoints.requireSound(position, "\(run.workDir): error: not evaluated")
    try model.broadcastStatistics(over: run.world)
    let measuresAverages = run.configuration.average != nil
    if measuresAverages { model.store.swapAverages() }
    defer { if measuresAverages { model.store.swapAverages() } }
    run.stages?.end()
    let progress = { [run] (done: Int, count: Int) in
      run.progress.tick()
      if run.world.rank == 0 { run.sink.showProgress("Evaluating: \(min(done, count)) of \(count) pictures") }
    }
    guard let outcome = try validation.evaluate(model, progress: progress) else { return }
    let classes = run.configuration.evaluation?.classwise ?? false ? validation.dataset.classes : []
    let table = classes.isEmpty ? [] : outcome.result.classTable(classes)
    if let warning = outcome.badPictureWarning { run.logger.warning("\(warning)") }
    for line in outcome.result.summary + table { run.logger.info("\(line)") }
    metrics?.recordValidation(
      epoch: position.epoch, images: validation.dataset.images.count,
      lr: schedule.rate(epoch: position.epoch, iteration: position.iteration), outcome, classes: classes)
    try checkpoints.note(outcome.result.metrics, at: position)
  }
}

/// Where a run stands. Everything else about the order of images follows from the seed.
package struct Position: Codable, Equatable {
  /// Completed epochs.
  package var epoch = 0
  /// Images of the global batches done in the current epoch.
  package var images = 0
  /// Completed iterations.
  package var iteration = 0
  /// Those of them that left the parameters as they were (`mpi.on_non_finite: skip`).
  package var skipped = 0
  /// The steps that the optimiser took.
  package var updates = 0
  /// The last iterations, whose gradients wait for those that share a step with them (`cumulative_iters`).
  package var accumulated = 0

  package init(
    epoch: Int = 0, images: Int = 0, iteration: Int = 0, skipped: Int = 0, updates: Int = 0, accumulated: Int = 0
  ) {
    (self.epoch, self.images, self.iteration, self.skipped) = (epoch, images, iteration, skipped)
    (self.updates, self.accumulated) = (updates, accumulated)
  }

  /// What checkpoints call `accumulated`, of runs that accumulate.
  static let windowKey = "accumulated_iterations"

  mutating func advance(by batch: Int) {
    images += batch
    iteration += 1
  }

  mutating func beginNextEpoch() {
    epoch += 1
    images = 0
  }
}

extension Duration {
  package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
