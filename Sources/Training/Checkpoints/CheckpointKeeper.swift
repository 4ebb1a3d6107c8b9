import COCO
import Foundation

/// Saves the checkpoints of a work directory: `epoch_N.h5` or `iter_N.h5`, and the link `latest.h5` to the newest.
/// Only rank 0 touches the disk.
final class CheckpointKeeper {
  private let run: RunSetup
  private let data: TrainingData
  private let created: String
  private var written: [String] = []
  /// The iteration of the newest checkpoint of this run.
  private(set) var lastSaved = -1

  private var section: CheckpointSection? { run.configuration.checkpoint }

  /// - Parameter created: the day on which the run began, also when it was resumed since.
  init(run: RunSetup, data: TrainingData, created: String) {
    (self.run, self.data, self.created) = (run, data, created)
  }

  func isDue(_ position: Position, epochIsDone: Bool) -> Bool {
    guard let section, let interval = section.interval else { return false }
    return section.byEpoch
      ? epochIsDone && position.epoch % interval == 0 : position.iteration % interval == 0
  }

  /// Collective: returns when rank 0 has the file safe on disk.
  func save(_ model: DetectorModel, _ position: Position) throws {
    lastSaved = position.iteration
    if run.world.rank == 0 {
      let isAtEpochEnd = position.images == 0 && (section?.byEpoch ?? run.configuration.runner.countsEpochs)
      let name = isAtEpochEnd ? "epoch_\(position.epoch).h5" : "iter_\(position.iteration).h5"
      try CheckpointFile.write(
        image(of: checkpoint(model, position), name: name), to: "\(run.workDir)/\(name)",
        diskIsFull: run.injector?.diskIsFull() ?? false)
      try CheckpointFile.link("\(run.workDir)/latest.h5", to: name)
      removeOld(keeping: name)
      run.logger.info("Saved \(run.workDir)/\(name)")
    }
    try run.progress.waiting(run.world.barrier)
  }

  /// HDF5 builds a file in memory.
  private func image(of checkpoint: Checkpoint, name: String) throws -> [UInt8] {
    do { return try checkpoint.image() } catch {
      throw CheckpointError(
        description:
          "\(run.workDir)/\(name): error: the checkpoint could not be put together in memory: \(error); raise "
          + "the limit (ulimit -v) or use a machine with more memory. Older checkpoints are left as they were",
        exitCode: .io)
    }
  }

  private func checkpoint(_ model: DetectorModel, _ position: Position) -> Checkpoint {
    Checkpoint(
      created: created, producer: Version.producer, epoch: position.epoch, iteration: position.iteration,
      worldSize: run.world.size, globalBatch: run.globalBatch, seed: run.seed, configuration: run.read.resolved,
      classes: data.dataset.classes, categoryIDs: data.dataset.categoryIDs.map(Int.init),
      model: model.exportedModel(), momenta: model.exportedMomenta(),
      progress: ["epoch": position.epoch, "images_in_epoch": position.images, "iterations": position.iteration])
  }

  /// `max_keep_ckpts`: of what this run wrote, the oldest go.
  private func removeOld(keeping name: String) {
    written.removeAll { $0 == name }
    written.append(name)
    guard let limit = section?.maxKeepCkpts else { return }
    while written.count > limit {
      try? FileManager.default.removeItem(atPath: "\(run.workDir)/\(written.removeFirst())")
    }
  }

  /// `work_dirs/…/<time>`, the stem of a run's log files.
  static func logStem(in workDir: String, at date: Date) -> String {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.dateFormat = "yyyyMMdd_HHmmss"
    return "\(workDir)/\(format.string(from: date))"
  }
}
