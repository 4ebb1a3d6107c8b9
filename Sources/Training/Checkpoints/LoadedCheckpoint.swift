import Logging
import MPI

/// A file that was read, before it goes into a model.
struct LoadedCheckpoint {
  let checkpoint: Checkpoint
  let path: String
  private let isBackboneOnly: Bool

  /// Reads what `source` names; nil where it names nothing.
  /// - Throws: `CheckpointError`, `RunError`.
  init?(_ source: StartingSource, workDir: String, _ logger: Logger) throws {
    switch source {
    case .beginning: return nil
    case .newestOfWorkDir:
      guard let newest = try CheckpointSearch.newest(in: workDir, logger) else {
        logger.notice("\(workDir) holds no checkpoint yet: starting at the beginning")
        return nil
      }
      (checkpoint, path) = newest
    case .resume(let path):
      try WeightAddress.refuse(path)
      (checkpoint, self.path) = (try Checkpoint(image: CheckpointFile.read(path), name: path), path)
    case .weights(let path), .backbone(let path):
      try WeightAddress.refuse(path)
      let weights = try Checkpoint.weights(reading: path)
      for notice in weights.notices { logger.notice("\(path): \(notice)") }
      (checkpoint, self.path) = (weights.checkpoint, path)
    }
    if case .backbone = source { isBackboneOnly = true } else { isBackboneOnly = false }
  }

  /// - Throws: `RunError` for arrays that are missing or of another shape.
  func load(into model: DetectorModel, withMomenta: Bool, _ logger: Logger) throws {
    if isBackboneOnly { return try model.importBackbone(checkpoint.model, from: path) }
    let unknown = try model.importModel(checkpoint.model, from: path)
    if !unknown.isEmpty { logger.notice("\(path) also holds \(unknown.count) arrays that the model has not") }
    if withMomenta { try model.importMomenta(checkpoint.momenta, from: path) }
  }
}

/// Weights for test mode.
enum LoadedWeights {
  /// Rank 0 reads the checkpoint, all ranks get its parameters. Returns its classes. Collective.
  /// - Throws: `CheckpointError`, `RunError`, on rank 0; `MPIError`.
  static func load(_ path: String, into model: DetectorModel, world: World) throws -> [String] {
    var classes: [String] = []
    if world.rank == 0 {
      let (checkpoint, notices) = try Checkpoint.weights(reading: path)
      for notice in notices { print("\(path): \(notice)") }
      _ = try model.importModel(checkpoint.model, from: path)
      classes = checkpoint.classes
    }
    classes = try world.shared(classes)
    try world.broadcast(FloatSlice(start: model.store.values, count: model.store.count))
    return classes
  }
}
