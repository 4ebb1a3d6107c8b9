/// What all ranks know of a run that goes on: rank 0 tells the others.
struct ResumedRun: Codable, Equatable {
  let seed: UInt64
  let position: Position
  let globalBatch: Int
  let worldSize: Int

  /// - Throws: `CheckpointError` where the checkpoint's numbers are none of a run.
  init(_ checkpoint: Checkpoint, path: String) throws {
    seed = checkpoint.seed
    position = Position(
      epoch: checkpoint.progress["epoch"] ?? 0, images: checkpoint.progress["images_in_epoch"] ?? 0,
      iteration: checkpoint.progress["iterations"] ?? 0, skipped: checkpoint.progress["skipped_steps"] ?? 0)
    (globalBatch, worldSize) = (checkpoint.globalBatch, checkpoint.worldSize)
    let numbers = [position.epoch, position.images, position.iteration, position.skipped]
    guard globalBatch > 0, numbers.allSatisfy({ (0..<1 << 50).contains($0) }), position.images % globalBatch == 0 else {
      throw CheckpointError(
        description: "\(path): error: the checkpoint stands at no place of a run: epoch \(position.epoch), image "
          + "\(position.images) of it, iteration \(position.iteration), global batch \(globalBatch); use an older one",
        exitCode: .badData)
    }
  }

  /// The position in this run's order of images. In the middle of an epoch the global batch must be the same, because
  /// the order depends on it, and so must the data set.
  /// - Throws: `RunError`.
  func position(globalBatch batch: Int, iterationsPerEpoch: Int) throws -> Position {
    if globalBatch == batch {
      guard position.images < iterationsPerEpoch * batch else {
        throw RunError(
          """
          the checkpoint stands behind image \(position.images) of an epoch, but an epoch of this data set has \
          \(iterationsPerEpoch * batch); resume with the annotation file that the run began with, or start anew from its \
          weights with --load-from
          """, exitCode: .configuration)
      }
      return position
    }
    guard position.images == 0 else {
      throw RunError(
        """
        the checkpoint stands in the middle of an epoch of batches of \(globalBatch) images \
        (\(worldSize) ranks), this run has batches of \(batch); set mpi.global_batch to \(globalBatch), or \
        data.samples_per_gpu so that ranks × samples_per_gpu is \(globalBatch)
        """, exitCode: .configuration)
    }
    return Position(
      epoch: position.epoch, images: 0, iteration: position.epoch * iterationsPerEpoch, skipped: position.skipped)
  }
}
