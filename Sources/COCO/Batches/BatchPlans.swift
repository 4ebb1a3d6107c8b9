import Primitives

/// The batches of a whole training for one rank, from any position on. Nothing is replayed to get there: the position
/// is two numbers.
public struct TrainingPlans: Sequence, IteratorProtocol, Sendable {
  private let dataset: CocoDataset
  private let pipeline: Pipeline
  private let options: Options
  private var epoch: Int
  private var iteration: Int
  private var order: EpochOrder?

  public struct Options: Equatable, Sendable {
    public var seed: UInt64
    /// Images a step over all ranks.
    public var globalBatch: Int
    public var shuffles: Bool
    public var rank: Int
    public var ranks: Int
    /// The training ends after this many epochs.
    public var epochs: Int

    public init(seed: UInt64, globalBatch: Int, shuffles: Bool = true, rank: Int = 0, ranks: Int = 1, epochs: Int) {
      (self.seed, self.globalBatch, self.shuffles) = (seed, globalBatch, shuffles)
      (self.rank, self.ranks, self.epochs) = (rank, ranks, epochs)
    }
  }

  /// - Parameters:
  ///   - dataset: whose images are batched.
  ///   - pipeline: says how large the images become, and so each batch.
  ///   - options: the seed, the size of a batch, this rank, and when to end.
  ///   - epoch: the 0-based epoch of the first batch.
  ///   - iteration: its 0-based position in that epoch.
  public init(_ dataset: CocoDataset, _ pipeline: Pipeline, options: Options, epoch: Int = 0, iteration: Int = 0) {
    (self.dataset, self.pipeline, self.options) = (dataset, pipeline, options)
    (self.epoch, self.iteration) = (epoch, iteration)
  }

  public mutating func next() -> BatchPlan? {
    guard epoch < options.epochs else { return nil }
    let order = order ?? dataset.order(ofEpoch: epoch, options)
    guard iteration < order.count else {
      (epoch, iteration, self.order) = (epoch + 1, 0, nil)
      return next()
    }
    self.order = order
    let key = DrawKey(seed: options.seed, epoch: epoch)
    let (indices, fillers) = order.batch(iteration)
    let draws = zip(indices, fillers).map { dataset.draw(ofImage: $0, filler: $1) }
    let share = order.share(ofBatch: iteration, rank: options.rank, ranks: options.ranks)
    let plan = BatchPlan(
      key: key, iteration: iteration, indices: Array(indices[share]), draws: Array(draws[share]),
      position: iteration * options.globalBatch + share.lowerBound,
      size: dataset.paddedSize(of: indices, draws: draws, pipeline, key: key))
    iteration += 1
    return plan
  }
}

extension CocoDataset {
  /// The number of the draw for an image: one for each time that it comes in an epoch, by the data set or to fill a batch up.
  func draw(ofImage index: Int, filler: Int) -> Int { images.repeatNumber(at: index) << 32 | filler }

  public func order(ofEpoch epoch: Int, _ options: TrainingPlans.Options) -> EpochOrder {
    EpochOrder(
      groups: images.indices.map(images.aspectGroup), globalBatch: options.globalBatch, seed: options.seed,
      epoch: epoch, shuffles: options.shuffles)
  }

  /// The number of global batches of every epoch.
  public func iterationsPerEpoch(globalBatch: Int, shuffles: Bool = true) -> Int {
    let wide = images.indices.count { images.aspectGroup(at: $0) == 1 }
    let groups = shuffles ? [wide, images.count - wide] : [images.count]
    return groups.reduce(0) { $0 + ($1 + globalBatch - 1) / globalBatch }
  }

  /// The largest height and the largest width of the images after Resize and Pad, from the annotation file's sizes alone.
  /// - Parameters:
  ///   - indices: of the images in the data set.
  ///   - draws: the number of the draw for each; nil: that of `key`.
  ///   - pipeline: what resizes and pads them.
  ///   - key: what the draws of their sizes depend on.
  public func paddedSize(of indices: [Int], draws: [Int]? = nil, _ pipeline: Pipeline, key: DrawKey) -> ImageSize {
    let shapes = indices.enumerated().map { place, index in
      let key = key.with(draw: draws?[place] ?? key.draw)
      return pipeline.geometry(of: images.size(at: index), imageID: images.id(at: index), key: key).padShape
    }
    return ImageSize(height: shapes.map(\.height).max() ?? 0, width: shapes.map(\.width).max() ?? 0)
  }

  /// Batches for evaluation: the given images in order, each once; the last batch may be smaller.
  public func evaluationPlans(of indices: [Int], batch: Int, _ pipeline: Pipeline) -> [BatchPlan] {
    stride(from: 0, to: indices.count, by: batch).enumerated().map { iteration, start in
      let indices = Array(indices[start..<min(start + batch, indices.count)])
      let key = DrawKey(seed: 0, epoch: 0)
      let size = paddedSize(of: indices, pipeline, key: key)
      return BatchPlan(key: key, iteration: iteration, indices: indices, size: size)
    }
  }

  /// Reads one image and applies the pipeline.
  /// - Throws: `COCOError` naming the file.
  func sample(_ index: Int, _ pipeline: Pipeline, key: DrawKey, _ pool: PixelPool) throws -> Sample {
    pipeline.apply(try picture(index, pipeline, key: key, pool), images[index], key: key, pool)
  }

  /// Reads one image as the pipeline wants it decoded.
  /// - Throws: `COCOError` naming the file.
  package func picture(_ index: Int, _ pipeline: Pipeline, key: DrawKey, _ pool: PixelPool) throws -> DecodedImage {
    let image = images[index]
    return try ImageDecoder.decode(
      pictures.read(image.fileName, limit: ImageDecoder.maximumBytes), path: path(of: image), expectedSize: image.size,
      covering: pipeline.decodedSize(of: image, key: key), pictureRules, pool)
  }
}
