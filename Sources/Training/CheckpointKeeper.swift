import Foundation
import MPI

/// Saves, finds and loads the checkpoints of a work directory: `epoch_N.h5` or `iter_N.h5`, and the link `latest.h5`.
/// Only rank 0 touches the disk.
final class CheckpointKeeper {
  private let run: RunSetup
  private let section: CheckpointSection?
  private var written: [String] = []
  /// The iteration of the newest checkpoint of this run.
  private(set) var lastSaved = -1

  init(run: RunSetup) {
    self.run = run
    section = run.configuration.checkpoint
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
      let isAtEpochEnd = position.images == 0 && (section?.byEpoch ?? true)
      let name = isAtEpochEnd ? "epoch_\(position.epoch).h5" : "iter_\(position.iteration).h5"
      try CheckpointFile.write(checkpoint(model, position).image(), to: "\(run.workDir)/\(name)")
      try CheckpointFile.link("\(run.workDir)/latest.h5", to: name)
      try removeOld(keeping: name)
      run.logger.info("Saved \(run.workDir)/\(name)")
    }
    try run.world.barrier()
  }
}
