import MPI

/// A checkpoint for test mode. Rank 0 reads it; the others learn its classes, and get the parameters.
struct TestWeights {
  /// The names of its classes, on all ranks; empty where the file has none.
  let classes: [String]
  private let path: String
  /// On rank 0.
  private let checkpoint: Checkpoint?
  private let world: World

  /// Collective.
  /// - Throws: `CheckpointError`, on rank 0; `MPIError`.
  init(reading path: String, world: World) throws {
    var checkpoint: Checkpoint?
    if world.rank == 0 {
      let weights = try Checkpoint.weights(reading: path)
      for notice in weights.notices { print("\(path): \(notice)") }
      try weights.checkpoint.requireSound(path: path)
      checkpoint = weights.checkpoint
    }
    classes = try world.shared(checkpoint?.classes ?? [])
    (self.path, self.checkpoint, self.world) = (path, checkpoint, world)
  }

  /// Rank 0 takes them over, and all ranks get them. Collective.
  /// - Parameter classes: the run's, in its order: rows of the same names in another order are put into it.
  /// - Throws: `RunError` for missing arrays, other shapes and other classes, on rank 0; `MPIError`.
  func load(into model: DetectorModel, classes: [String]) throws {
    if let checkpoint {
      let weights = WeightImport(path: path, checkpoint: checkpoint, classes: classes, demand: .whole)
      for line in try weights.load(into: model.store) { print(line) }
    }
    try world.broadcast(FloatSlice(start: model.store.values, count: model.store.count))
  }

  /// The category ids of a run's classes, as the file has them; nil where it lacks one, and on other ranks than 0.
  func categoryIDs(of run: [String]) -> [Int]? {
    guard let checkpoint, checkpoint.categoryIDs.count == checkpoint.classes.count else { return nil }
    let ids = Dictionary(zip(checkpoint.classes, checkpoint.categoryIDs), uniquingKeysWith: { first, _ in first })
    let found = run.compactMap { ids[$0] }
    return found.count == run.count && !found.isEmpty ? found : nil
  }

  /// The classes that a data set without `classes` of its own is read with: the file's, by name. nil where the file has
  /// none.
  /// - Parameter categories: the names in the annotation file.
  /// - Throws: `RunError` where some are not among the categories; all ranks alike.
  func classes(among categories: [String]) throws -> [String]? {
    guard !classes.isEmpty else { return nil }
    guard classes.allSatisfy(categories.contains) else {
      throw WeightImport.otherClasses(path: path, file: classes, run: categories)
    }
    return classes
  }
}
