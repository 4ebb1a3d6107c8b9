import COCO
import Distributed
import Foundation
import Primitives

/// Saves the checkpoints of a work directory: `epoch_N.h5` or `iter_N.h5`, the link `latest.h5` to the newest, and
/// `best_….h5`. Only rank 0 touches the disk, so that nothing here is collective but `finish`: what ends the run on rank 0
/// ends all ranks.
final class CheckpointKeeper {
  /// Why a checkpoint is saved.
  enum Occasion {
    /// `checkpoint_config.interval`. A failure is a warning, `mpi.save_failures` of them in a row end the run.
    case due
    /// A signal (USR1), or a best one. A failure is a warning.
    case requested
    /// The run ends with it. So it does with a failure.
    case last
  }

  private let run: RunSetup
  private let data: TrainingData
  private let model: DetectorModel
  private let plan: RunPlan
  private let created: String
  private var kept: KeptCheckpoints
  private var record: ValidationRecord
  private var best: BestCheckpoint?
  private var saver: CheckpointSaver?
  private var underWay: (name: String, iteration: Int, occasion: Occasion)?
  /// The newest good one of this run.
  private var newest: KeptCheckpoints.File?
  /// The iteration of the newest one that this process wrote.
  private var lastSaved: Int?
  /// In a row.
  private var failures = 0

  private var section: CheckpointSection? { run.configuration.checkpoint }
  private var isWriting: Bool { run.world.rank == 0 }

  init(run: RunSetup, data: TrainingData, model: DetectorModel, plan: RunPlan, start: StartingPoint) {
    (self.run, self.data, self.model, self.plan) = (run, data, model, plan)
    (created, record) = (start.created, start.record)
    kept = KeptCheckpoints(start.ownCheckpoints)
    best = start.best
    newest = start.resumedFile
    if isWriting, !start.isResumed { ValidationRecord.remove(from: run.workDir) }
  }

  func isDue(_ position: Position, epochIsDone: Bool) -> Bool {
    guard let section, let interval = section.interval else { return false }
    return section.byEpoch
      ? epochIsDone && position.epoch % interval == 0 : position.iteration % interval == 0
  }

  /// Begins to save; comes back when the model may change, which is at once where there is a copy of it. A save that is
  /// under way comes first; nothing happens where this place is saved already.
  /// - Throws: `CheckpointError`, `RunError`, on rank 0.
  func save(at position: Position, _ occasion: Occasion) throws {
    guard isWriting, lastSaved != position.iteration else { return }
    if let saving = underWay, saving.iteration == position.iteration, !saving.name.hasPrefix("best_") {
      if occasion == .last { underWay?.occasion = .last }
      return
    }
    let isAtEpochEnd = position.images == 0 && (section?.byEpoch ?? run.configuration.runner.countsEpochs)
    let name = isAtEpochEnd ? "epoch_\(position.epoch).h5" : "iter_\(position.iteration).h5"
    try save(as: name, position, occasion, link: "\(run.workDir)/latest.h5")
  }

  private func save(as name: String, _ position: Position, _ occasion: Occasion, link: String?) throws {
    try settle(waiting: true)
    try run.directory?.requireHeld()
    try requireSound(position, "\(run.workDir)/\(name): error: not written")
    let saver = makeSaver()
    underWay = (name, position.iteration, occasion)
    saver.start(header(position), to: "\(run.workDir)/\(name)", link: link)
    if !saver.isBeside { try settle(waiting: true) }
  }

  /// Looks whether a save has come to its end. To be called in each step.
  /// - Throws: `CheckpointError`, where a failure ends the run, on rank 0.
  func settle(waiting: Bool = false) throws {
    guard let saving = underWay, let result = saver?.result(waiting: waiting) else { return }
    underWay = nil
    do throws(CheckpointError) { try result.get() } catch { return try fail(error, saving.occasion) }
    failures = 0
    run.logger.info("Saved \(run.workDir)/\(saving.name)")
    guard !saving.name.hasPrefix("best_") else { return }
    let file = KeptCheckpoints.File(name: saving.name, iteration: saving.iteration)
    (newest, lastSaved) = (file, saving.iteration)
    kept.add(file)
    removeSurplus()
  }

  /// Waits for a save that is under way. Collective.
  func finish() throws {
    try settle(waiting: true)
    try run.progress.waiting(run.world.barrier)
  }

  /// The same where something else ends the run.
  func abandon() { _ = saver?.result(waiting: true) }

  /// - Parameter what: where that is, and what is not done because of it.
  /// - Throws: `CheckpointError` (65) where weights or momenta are such that no run can go on with them.
  func requireSound(_ position: Position, _ what: String) throws {
    guard isWriting, let unsound = UnsoundNumber(in: model.store) else { return }
    let older = newest.map { "go on from \($0.name), which is left as it was, with --resume auto" } ?? "start anew"
    throw CheckpointError(
      description: """
        \(what): iteration \(position.iteration) has left \(unsound); lower optimizer.lr, lengthen \
        the warm-up or set optimizer_config.grad_clip, and \(older)
        """, exitCode: .badData)
  }

  private func fail(_ error: CheckpointError, _ occasion: Occasion) throws {
    guard occasion != .last else {
      let lost = newest.map { "the newest one is \($0.name), the steps since iteration \($0.iteration) are lost" }
      throw CheckpointError(
        description: "\(error). The run ends here without it: \(lost ?? "there is none")", exitCode: .io)
    }
    if occasion == .due { failures += 1 }
    let limit = run.configuration.mpi.saveFailures
    guard failures < limit || occasion != .due else {
      throw CheckpointError(
        description: "\(error). That was \(failures) times in a row (mpi.save_failures)", exitCode: .io)
    }
    let count = occasion == .due ? " (\(failures) in a row; \(limit) end the run, mpi.save_failures)" : ""
    run.logger.warning("\(error). The run goes on\(count)")
  }

  private func makeSaver() -> CheckpointSaver {
    if let saver { return saver }
    let decision = AsyncSaving(run.configuration.mpi.asyncSave, of: model.store)
    var attempts = SaveAttempts()
    attempts.isHurried = { Signals.received.isStop }
    if let injector = run.injector { attempts.diskIsFull = { (try? injector.diskIsFull()) ?? true } }
    let saver = CheckpointSaver(of: model.store, isBeside: decision.isBeside, attempts: attempts)
    run.logger.info("Checkpoints are written \(saver.isBeside ? decision.words : AsyncSaving.waitingWords)")
    self.saver = saver
    return saver
  }

  private func header(_ position: Position) -> Checkpoint {
    var progress = [
      "epoch": position.epoch, "images_in_epoch": position.images, "iterations": position.iteration,
      "skipped_steps": position.skipped, "optimizer_steps": position.updates,
      "validation_due": plan.configurationEvaluates(at: position) ? 1 : 0,
    ]
    if run.configuration.cumulativeIters > 1 { progress[Position.windowKey] = position.accumulated }
    progress.merge(data.identity.progress) { $1 }
    progress.merge(best?.progress ?? [:]) { $1 }
    var header = Checkpoint(
      created: created, producer: Version.producer, epoch: position.epoch, iteration: position.iteration,
      worldSize: run.world.size, globalBatch: run.globalBatch, seed: run.seed, configuration: run.read.resolved,
      classes: data.dataset.classes, categoryIDs: data.dataset.categoryIDs.map(Int.init), model: [],
      progress: progress)
    header.optimizer = run.configuration.optimizer.name
    header.holdsAverages = run.configuration.average != nil
    return header
  }

  private func removeSurplus() {
    guard let limit = section?.maxKeepCkpts else { return }
    for name in kept.removeSurplus(limit: limit, validated: Set(record.entries.map(\.iteration))) {
      try? FileManager.default.removeItem(atPath: "\(run.workDir)/\(name)")
    }
  }

  // MARK: Validations

  /// Notes what was measured, and keeps the best checkpoint (`evaluation.save_best`). On rank 0.
  func note(_ metrics: [(String, Double)], at position: Position) throws {
    let metrics = Dictionary(metrics, uniquingKeysWith: { first, _ in first })
    record.add(.init(epoch: position.epoch, iteration: position.iteration, metrics: metrics))
    do { try record.write(to: run.workDir) } catch {
      run.logger.warning("\(run.workDir): what was measured could not be noted: \(error)")
    }
    removeSurplus()
    let before = best?.name
    guard best?.take(metrics, epoch: position.epoch, iteration: position.iteration) == true, let best,
      let name = best.name
    else { return }
    try saveBest(as: name, position)
    guard FileManager.default.fileExists(atPath: "\(run.workDir)/\(name)") else { return }
    if let before, before != name { unlink("\(run.workDir)/\(before)") }
    run.logger.info(
      """
      Best \(best.metric.rawValue) is \(fixed(best.score ?? 0, 4)) at \
      \(best.byEpoch ? "epoch \(position.epoch)" : "iter \(position.iteration)"): \(name)
      """)
  }

  /// As a second name of the checkpoint of this place, if there is one; else as a file of its own.
  private func saveBest(as name: String, _ position: Position) throws {
    try settle(waiting: true)
    let path = "\(run.workDir)/\(name)"
    if let newest, newest.iteration == position.iteration, kept.files.last == newest {
      unlink(path)
      if link("\(run.workDir)/\(newest.name)", path) == 0 { return }
    }
    try save(as: name, position, .requested, link: nil)
    try settle(waiting: true)
  }
}

extension CheckpointKeeper {
  /// `work_dirs/…/<time>`, the stem of a run's log files.
  static func logStem(in workDir: String, at date: Date) -> String {
    "\(workDir)/\(FileStamp.text(date))"
  }
}
