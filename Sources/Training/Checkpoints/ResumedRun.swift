/// What all ranks know of a run that goes on: rank 0 tells the others.
struct ResumedRun: Codable, Equatable {
  /// How it stands with the validation at the checkpoint's place.
  enum Validation: Codable {
    /// None belongs there.
    case none
    /// The run was ended before it, or in it.
    case due
    case done
  }

  let seed: UInt64
  let position: Position
  let globalBatch: Int
  let worldSize: Int
  /// nil where the checkpoint does not say what it was trained on.
  let data: DataIdentity?
  let validation: Validation

  /// - Parameter record: what was measured in the work directory.
  /// - Throws: `CheckpointError` where the checkpoint's numbers are none of a run.
  init(_ checkpoint: Checkpoint, path: String, record: ValidationRecord = ValidationRecord()) throws {
    seed = checkpoint.seed
    var position = Position(
      epoch: checkpoint.progress["epoch"] ?? 0, images: checkpoint.progress["images_in_epoch"] ?? 0,
      iteration: checkpoint.progress["iterations"] ?? 0, skipped: checkpoint.progress["skipped_steps"] ?? 0)
    // Version 1 did not say it before others than SGD needed it.
    position.updates = checkpoint.progress["optimizer_steps"] ?? position.iteration - position.skipped
    position.accumulated = checkpoint.progress[Position.windowKey] ?? 0
    self.position = position
    (globalBatch, worldSize) = (checkpoint.globalBatch, checkpoint.worldSize)
    data = DataIdentity(checkpoint.progress)
    let isMeasured = record.entry(at: position.iteration) != nil
    validation = isMeasured ? .done : checkpoint.progress["validation_due"] == 1 ? .due : .none
    let numbers =
      [position.epoch, position.images, position.iteration]
      + [position.skipped, position.updates, position.accumulated]
    guard globalBatch > 0, numbers.allSatisfy({ (0..<1 << 50).contains($0) }), position.images % globalBatch == 0,
      position.accumulated <= position.iteration
    else {
      throw CheckpointError(
        description: "\(path): error: the checkpoint stands at no place of a run: epoch \(position.epoch), image "
          + "\(position.images) of it, iteration \(position.iteration), global batch \(globalBatch); use an older one",
        exitCode: .badData)
    }
  }

  /// The position in this run's order of images. In the middle of an epoch the global batch must be the same, because
  /// the order depends on it, and the data set must have as many images at least.
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
      epoch: position.epoch, images: 0, iteration: position.epoch * iterationsPerEpoch, skipped: position.skipped,
      updates: position.updates)
  }

  /// What is other than in the run that goes on, each a sentence.
  /// - Parameter rateFactor: what `auto_scale_lr` makes of another global batch: the learning rate by that of before.
  func changes(
    to now: DataIdentity, globalBatch batch: Int, seed asked: UInt64?, rateFactor: Double
  ) -> [String] {
    var changes: [String] = []
    if let asked, asked != seed {
      changes.append(
        "--seed \(asked) is not followed: the run goes on with the seed of its checkpoint, \(seed), and so with its "
          + "order of images and its draws; a new run takes another seed")
    }
    if let data, data.images != now.images {
      changes.append(
        "the data set has \(now.images) images, but had \(data.images) where the checkpoint was written: an epoch has "
          + "\(now.iterationsPerEpoch) iterations from now on, not \(data.iterationsPerEpoch)"
          + (position.images == 0 ? "" : ", and what is left of this one is taken from another order of images"))
    } else if let data, data.imagesHash != now.imagesHash {
      changes.append(
        "the data set has \(now.images) images as before, but not those with which the checkpoint was written"
          + (position.images == 0 ? "" : ": what is left of this epoch is taken from another order of images"))
    }
    guard batch != globalBatch else { return changes }
    let iteration = position.epoch * now.iterationsPerEpoch
    changes.append(
      "the global batch is \(batch) images, but was \(globalBatch): an epoch has \(now.iterationsPerEpoch) iterations"
        + (data.map { ", not \($0.iterationsPerEpoch)" } ?? "")
        + ", and what counts iterations (warm-up, max_iters) goes on at \(iteration) instead of \(position.iteration); "
        + (rateFactor == 1
          ? "the learning rate stays as it is"
          : "auto_scale_lr makes the learning rate \(fixed(rateFactor, 3)) times what it was"))
    return changes
  }
}
