import Foundation
import Logging
import MPI

/// Where a run starts: at the beginning, from given weights, or where a checkpoint stopped. Rank 0 reads the file;
/// the others learn the position, and the arrays with the broadcast of all parameters.
struct StartingPoint {
  /// The seed of the run that is resumed; nil for a new one.
  let seed: UInt64?
  private let resumed: Resumed?
  /// On rank 0 what is loaded, and its file.
  private let checkpoint: Checkpoint?
  private let path: String?
  private let isBackboneOnly: Bool

  /// What all ranks know of the run that goes on.
  private struct Resumed {
    let epoch: Int
    let images: Int
    let iteration: Int
    let globalBatch: Int
    let worldSize: Int
  }

  init(
    _ options: TrainOptions, configuration: RunConfiguration, workDir: String, world: World, logger: Logger
  ) throws {
    var found: (checkpoint: Checkpoint, path: String)?
    let wish = options.resume ?? configuration.resumeFrom
    if world.rank == 0, let wish {
      if wish == "auto" {
        found = try Self.newest(in: workDir, logger)
        if found == nil { logger.notice("\(workDir) holds no checkpoint yet: starting at the beginning") }
      } else if CheckpointFolder.isFolder(wish) {
        let newest = try CheckpointFolder.newest(in: wish)
        for text in newest.passedOver { logger.warning("\(text)") }
        found = (newest.checkpoint, newest.path)
      } else {
        found = (try Checkpoint(image: CheckpointFile.read(wish), name: wish), wish)
      }
    }
    resumed = try wish == nil ? nil : Self.share(found?.checkpoint, over: world)
    seed = try resumed == nil ? nil : Self.shareSeed(found?.checkpoint.seed ?? 0, over: world)
    var isBackboneOnly = false
    if resumed == nil, world.rank == 0 {
      let source = options.loadFrom ?? configuration.loadFrom
      isBackboneOnly = source == nil
      let library = WeightsLibrary(weightsDir: configuration.mpi.weightsDir)
      found = try (source ?? configuration.pretrained).map { source in
        let path = try library.locate(source, key: isBackboneOnly ? "model.pretrained" : "load_from")
        let weights = try Checkpoint.weights(reading: path)
        for notice in weights.notices { logger.notice("\(path): \(notice)") }
        return (weights.checkpoint, path)
      }
    }
    (checkpoint, path, self.isBackboneOnly) = (found?.checkpoint, found?.path, isBackboneOnly)
    if let path { logger.info("\(resumed == nil ? "Loading weights from" : "Resuming from") \(path)") }
  }

  /// The day on which the run began.
  var created: String { resumed == nil ? Checkpoint.today() : checkpoint?.created ?? "" }

  /// Takes over weights, and momenta when resuming, on rank 0.
  func load(into model: DetectorModel, _ run: RunSetup) throws {
    guard let checkpoint, let path else { return }
    if isBackboneOnly { return try model.importBackbone(checkpoint.model, from: path) }
    let unknown = try model.importModel(checkpoint.model, from: path)
    if !unknown.isEmpty { run.logger.notice("\(path) also holds \(unknown.count) arrays that the model has not") }
    if resumed != nil { try model.importMomenta(checkpoint.momenta, from: path) }
  }

  /// The position in this run's order of images. In the middle of an epoch the global batch must be the same, because
  /// the order depends on it.
  func position(in data: TrainingData) throws -> Position {
    guard let resumed else { return Position() }
    if resumed.globalBatch == data.globalBatch {
      return Position(epoch: resumed.epoch, images: resumed.images, iteration: resumed.iteration)
    }
    guard resumed.images == 0 else {
      throw RunError(
        """
        the checkpoint stands in the middle of an epoch of batches of \(resumed.globalBatch) images \
        (\(resumed.worldSize) ranks), this run has batches of \(data.globalBatch); set data.samples_per_gpu so that \
        ranks × samples_per_gpu is \(resumed.globalBatch)
        """, exitCode: .configuration)
    }
    return Position(epoch: resumed.epoch, images: 0, iteration: resumed.epoch * data.iterationsPerEpoch)
  }

  /// The newest checkpoint of a work directory that is whole. Damaged ones are named and passed over.
  private static func newest(in workDir: String, _ logger: Logger) throws -> (Checkpoint, String)? {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: workDir)) ?? []
    let candidates = names.filter { $0.hasSuffix(".h5") && ($0.hasPrefix("epoch_") || $0.hasPrefix("iter_")) }
      .map { "\(workDir)/\($0)" }.sorted { modified($0) > modified($1) }
    for path in candidates {
      if let checkpoint = whole(path, logger) { return (checkpoint, path) }
    }
    guard candidates.isEmpty else {
      throw RunError(
        "\(workDir): error: none of its \(candidates.count) checkpoints can be read; start anew without --resume",
        exitCode: .badData)
    }
    return nil
  }

  /// nil, with a warning, where the file is damaged.
  private static func whole(_ path: String, _ logger: Logger) -> Checkpoint? {
    let result = Result { try Checkpoint(image: CheckpointFile.read(path), name: path) }
    if case .failure(let error) = result { logger.warning("\(error)") }
    return try? result.get()
  }

  private static func modified(_ path: String) -> Double {
    var status = stat()
    guard lstat(path, &status) == 0 else { return 0 }
    return Double(status.st_mtim.tv_sec) + 1e-9 * Double(status.st_mtim.tv_nsec)
  }

  /// Rank 0's position on all ranks; nil if it found no checkpoint.
  private static func share(_ checkpoint: Checkpoint?, over world: World) throws -> Resumed? {
    var numbers = [Double](repeating: 0, count: 6)
    if let checkpoint {
      let progress = checkpoint.progress
      numbers = [
        1, Double(progress["epoch"] ?? 0), Double(progress["images_in_epoch"] ?? 0),
        Double(progress["iterations"] ?? 0), Double(checkpoint.globalBatch), Double(checkpoint.worldSize),
      ]
    }
    try world.sum(&numbers)
    guard numbers[0] == 1 else { return nil }
    return Resumed(
      epoch: Int(numbers[1]), images: Int(numbers[2]), iteration: Int(numbers[3]), globalBatch: Int(numbers[4]),
      worldSize: Int(numbers[5]))
  }

  private static func shareSeed(_ seed: UInt64, over world: World) throws -> UInt64 {
    var seeds = [world.rank == 0 ? seed : 0]
    try world.sum(&seeds)
    return seeds[0]
  }
}

/// Weights for test mode.
enum LoadedWeights {
  /// Rank 0 reads the checkpoint, all ranks get its parameters. Returns its classes. Collective.
  static func load(_ path: String, into model: DetectorModel, world: World) throws -> [String] {
    var classes: [UInt8] = []
    if world.rank == 0 {
      let (checkpoint, notices) = try Checkpoint.weights(reading: path)
      for notice in notices { print("\(path): \(notice)") }
      _ = try model.importModel(checkpoint.model, from: path)
      classes = Array(checkpoint.classes.joined(separator: "\n").utf8)
    }
    try world.broadcast(&classes)
    try world.broadcast(FloatSlice(start: model.store.values, count: model.store.count))
    return String(decoding: classes, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
