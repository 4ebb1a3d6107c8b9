import Foundation
import Logging
import MPI

/// A file that was read, before it goes into a model.
struct LoadedCheckpoint {
  let checkpoint: Checkpoint
  let path: String
  private let demand: WeightImport.Demand
  private let isResumed: Bool
  /// The good checkpoints of the folder that was looked through for the newest one; nil where a file was named.
  private let neighbours: [CheckpointPlace]?

  /// Reads what `source` names; nil where it names nothing.
  /// - Throws: `CheckpointError`, `RunError`.
  init?(_ source: StartingSource, workDir: String, _ logger: Logger) throws {
    var newest: CheckpointFolder.Newest?
    switch source {
    case .beginning: return nil
    case .newestOfWorkDir:
      newest = try CheckpointFolder.newestOfRun(in: workDir)
      if newest == nil {
        logger.notice("\(workDir) holds no checkpoint yet: starting at the beginning")
        return nil
      }
    case .resume(let folder) where CheckpointFolder.isFolder(folder): newest = try CheckpointFolder.newest(in: folder)
    default: break
    }
    if let newest {
      for text in newest.passedOver { logger.warning("\(text)") }
      (checkpoint, path, neighbours) = (newest.checkpoint, newest.path, newest.good)
    } else {
      (checkpoint, path, neighbours) = (try Self.read(source, logger), source.path, nil)
      try checkpoint.requireSound(path: path)
    }
    switch source {
    case .weights: (demand, isResumed) = (.fitting, false)
    case .backbone: (demand, isResumed) = (.backbone, false)
    case .beginning, .newestOfWorkDir, .resume: (demand, isResumed) = (.whole, true)
    }
  }

  private static func read(_ source: StartingSource, _ logger: Logger) throws -> Checkpoint {
    guard case .resume(let path) = source else {
      let weights = try Checkpoint.weights(reading: source.path)
      for notice in weights.notices { logger.notice("\(source.path): \(notice)") }
      return weights.checkpoint
    }
    return try Checkpoint(image: CheckpointFile.read(path), name: path)
  }

  /// The checkpoints in `workDir` of the run that goes on, oldest first: this one and those before it.
  func ownCheckpoints(in workDir: String) -> [CheckpointPlace] {
    let path = URL(fileURLWithPath: path)
    guard isResumed, path.deletingLastPathComponent().path == URL(fileURLWithPath: workDir).path else { return [] }
    let this = CheckpointPlace(checkpoint, name: path.lastPathComponent)
    let all = neighbours ?? (try? CheckpointFolder.newestOfRun(in: workDir))?.good ?? []
    return all.filter { this.follows($0) && !$0.name.hasPrefix("best_") }.sorted { $0 < $1 }
  }

  /// - Throws: `RunError` where the classes have to be those of the file and are not.
  func checkClasses(_ classes: [String]) throws {
    try WeightImport(path: path, checkpoint: checkpoint, classes: classes, demand: demand).checkClasses()
  }

  /// - Parameters:
  ///   - classes: the run's, in its order.
  ///   - optimizer: the name of the run's.
  /// - Throws: `RunError` for what does not fit; see `WeightImport.Demand`.
  func load(into model: DetectorModel, classes: [String], optimizer: String, _ logger: Logger) throws {
    let weights = WeightImport(path: path, checkpoint: checkpoint, classes: classes, demand: demand)
    var lines = try weights.load(into: model.store)
    if isResumed { lines += try weights.loadStates(into: model.store, optimizer: optimizer) }
    for line in lines { logger.notice("\(line)") }
  }
}
