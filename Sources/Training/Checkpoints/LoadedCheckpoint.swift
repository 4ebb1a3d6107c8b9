import Logging
import MPI

/// A file that was read, before it goes into a model.
struct LoadedCheckpoint {
  let checkpoint: Checkpoint
  let path: String
  private let demand: WeightImport.Demand
  private let isResumed: Bool

  /// Reads what `source` names; nil where it names nothing.
  /// - Throws: `CheckpointError`, `RunError`.
  init?(_ source: StartingSource, workDir: String, _ logger: Logger) throws {
    switch source {
    case .beginning: return nil
    case .newestOfWorkDir:
      guard let newest = try CheckpointFolder.newestOfRun(in: workDir) else {
        logger.notice("\(workDir) holds no checkpoint yet: starting at the beginning")
        return nil
      }
      (checkpoint, path) = Self.named(newest, logger)
    case .resume(let folder) where CheckpointFolder.isFolder(folder):
      (checkpoint, path) = Self.named(try CheckpointFolder.newest(in: folder), logger)
    case .resume(let path):
      (checkpoint, self.path) = (try Checkpoint(image: CheckpointFile.read(path), name: path), path)
    case .weights(let path), .backbone(let path):
      let weights = try Checkpoint.weights(reading: path)
      for notice in weights.notices { logger.notice("\(path): \(notice)") }
      (checkpoint, self.path) = (weights.checkpoint, path)
    }
    switch source {
    case .weights: (demand, isResumed) = (.fitting, false)
    case .backbone: (demand, isResumed) = (.backbone, false)
    case .beginning, .newestOfWorkDir, .resume: (demand, isResumed) = (.whole, true)
    }
  }

  /// Names the damaged ones on the way.
  private static func named(_ newest: CheckpointFolder.Newest, _ logger: Logger) -> (Checkpoint, String) {
    for text in newest.passedOver { logger.warning("\(text)") }
    return (newest.checkpoint, newest.path)
  }

  /// - Parameter classes: the run's, in its order.
  /// - Throws: `RunError` for what does not fit; see `WeightImport.Demand`.
  func load(into model: DetectorModel, classes: [String], _ logger: Logger) throws {
    let weights = WeightImport(path: path, checkpoint: checkpoint, classes: classes, demand: demand)
    for line in try weights.load(into: model.store) { logger.notice("\(line)") }
    if isResumed { try weights.loadMomenta(into: model.store) }
  }
}
