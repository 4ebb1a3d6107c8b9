import COCO
import Detection
import Primitives
import Tensors

/// The training images as a rank sees them: its slices of the global batches, read ahead on background threads.
final class TrainingData {
  let dataset: CocoDataset
  let globalBatch: Int
  let iterationsPerEpoch: Int
  private let pipeline: Pipeline
  private let options: TrainingPlans.Options
  private let workers: Int
  private let badPictures: BadPictureUse
  private var prefetcher: Prefetcher?
  private var currentOrder: (epoch: Int, order: EpochOrder)?

  init(_ run: RunSetup) throws {
    let section = run.configuration.data
    let file = try SharedAnnotations.load(section.train, in: run.world)
    dataset = try CocoDataset(
      file, configuration: section.train, training: true,
      pictures: SharedPictureSource.open(section.train.pictureFolder, in: run.world),
      proposals: SharedProposals.load(section.train.proposals, for: file, in: run.world))
    try dataset.checkClasses(fit: run.configuration.model)
    pipeline = try Pipeline(section.train.pipeline, scalesDecode: run.configuration.mpi.scaledDecode != .never)
    globalBatch = run.globalBatch
    iterationsPerEpoch = dataset.iterationsPerEpoch(globalBatch: globalBatch, shuffles: run.configuration.mpi.shuffle)
    options = TrainingPlans.Options(
      seed: run.seed, globalBatch: globalBatch, shuffles: run.configuration.mpi.shuffle, rank: run.world.rank,
      ranks: run.world.size, epochs: .max)
    workers = max(1, section.workersPerGPU)
    let mpi = run.configuration.mpi
    badPictures = .replaced(attempts: mpi.onBadPicture == .skip ? mpi.maxBadPictures : 0)
  }

  var identity: DataIdentity {
    DataIdentity(
      images: dataset.images.count, iterationsPerEpoch: iterationsPerEpoch,
      imagesHash: DataIdentity.imagesHash(of: dataset))
  }

  var imagesPerEpoch: Int { iterationsPerEpoch * globalBatch }

  /// Begins to read at a position.
  func start(at position: Position) {
    let plans = TrainingPlans(
      dataset, pipeline, options: options, epoch: position.epoch, iteration: position.images / globalBatch)
    prefetcher = Prefetcher(dataset, pipeline, plans: plans, workers: workers, badPictures: badPictures)
  }

  func stop() { prefetcher?.stop() }

  /// This rank's share of the next global batch.
  func next() throws -> Batch {
    guard let batch = try prefetcher?.next() else { bug("the order of images never ends") }
    return batch
  }

  /// The image ids of the global batch at a position, of all ranks.
  /// - Parameter replacements: the images that came in the place of bad ones, by their places in the epoch.
  func globalImageIDs(at position: Position, replacements: [Int: Int64] = [:]) -> [Int64] {
    if currentOrder?.epoch != position.epoch {
      currentOrder = (position.epoch, dataset.order(ofEpoch: position.epoch, options))
    }
    let indices = currentOrder?.order.batch(position.images / globalBatch).indices ?? []
    return indices.enumerated().map { place, index in
      replacements[position.images + place] ?? dataset.images.id(at: index)
    }
  }
}

extension Batch {
  /// The batch as the detector reads it.
  public func input(on engine: Engine) -> DetectorInput {
    let pixels = Tensor([images.count, size.height, size.width, 3], on: engine)
    writePixels(to: pixels.values)
    return DetectorInput(
      images: pixels,
      metas: images.map {
        ImageMeta(
          imageID: $0.id, draw: $0.draw, imgShape: $0.imgShape, padShape: $0.padShape,
          scaleFactor: ($0.scaleFactor.width, $0.scaleFactor.height))
      },
      targets: images.map { ImageTargets(gtBoxes: $0.gtBoxes, gtLabels: $0.gtLabels, gtBoxesIgnore: $0.gtIgnore) },
      proposals: images.map(\.proposals))
  }
}
