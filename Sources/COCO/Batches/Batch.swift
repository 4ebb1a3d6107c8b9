import Primitives

/// Images of one training or test step, padded with zeros at the right and the bottom to a common size.
public struct Batch: Sendable {
  /// The facts of one image. Boxes are in the pixels of the batch.
  public struct Image: Equatable, Sendable {
    public let id: Int64
    /// 0; another number for an image that comes once more in an epoch.
    public let draw: Int
    /// The size of the stored picture.
    public let oriSize: ImageSize
    public let geometry: Geometry
    public let gtBoxes: [Box]
    public let gtLabels: [Int]
    public let gtIgnore: [Box]
    /// Those that are given; none where the detector makes its own.
    public let proposals: [Box]

    public var imgShape: ImageSize { geometry.imgShape }
    /// The image's own size after Pad; the batch may be larger.
    public var padShape: ImageSize { geometry.padShape }
    public var scaleFactor: ScaleFactor { geometry.scaleFactor }
  }

  /// 0-based position in the training: which epoch, which global batch of it.
  public let epoch: Int
  public let iteration: Int
  public let images: [Image]
  public let size: ImageSize
  /// Those in whose places others are, or none.
  public let badPictures: [BadPicture]
  /// Whether a place is empty: nothing may be learnt from the batch.
  public let hasEmptyPlaces: Bool
  private let samples: [Sample]

  init(_ read: [ReadImage], plan: BatchPlan) {
    self.init(
      read.map(\.sample), plan: plan, badPictures: read.flatMap(\.badPictures),
      hasEmptyPlaces: read.contains(where: \.isEmpty))
  }

  /// - Precondition: `plan.size` is at least every sample's size.
  package init(
    _ samples: [Sample], plan: BatchPlan, badPictures: [BadPicture] = [], hasEmptyPlaces: Bool = false
  ) {
    (self.badPictures, self.hasEmptyPlaces) = (badPictures, hasEmptyPlaces)
    (epoch, iteration, size) = (plan.key.epoch, plan.iteration, plan.size)
    self.samples = samples
    images = samples.map {
      Image(
        id: $0.imageID, draw: $0.draw, oriSize: $0.oriSize, geometry: $0.geometry, gtBoxes: $0.boxes,
        gtLabels: $0.labels, gtIgnore: $0.ignored, proposals: $0.proposals)
    }
  }

  /// `[images, size.height, size.width, 3]`: normalised, RGB or BGR. Made anew at each call.
  public var pixels: [Float] {
    var values: [Float] = []
    fill(&values)
    return values
  }

  /// Writes all the values of `pixels`. Until here a picture has bytes: a quarter of the memory.
  public func writePixels(to values: UnsafeMutablePointer<Float>) {
    let stride = size.width * 3
    for (index, sample) in samples.enumerated() {
      let start = values + index * size.height * stride
      let (height, length) = (sample.geometry.imgShape.height, sample.geometry.imgShape.width * 3)
      sample.write(to: start, stride: stride)
      for row in 0..<height { (start + row * stride + length).update(repeating: 0, count: stride - length) }
      (start + height * stride).update(repeating: 0, count: (size.height - height) * stride)
    }
  }

  /// The same into the front of an array, which grows where it must.
  package func fill(_ values: inout [Float]) {
    let count = images.count * size.height * size.width * 3
    if values.count < count { values = [Float](repeating: 0, count: count) }
    values.withUnsafeMutableBufferPointer { if let start = $0.baseAddress { writePixels(to: start) } }
  }
}

/// Which images make a batch, or a rank's share of it, and the size that they are padded to.
public struct BatchPlan: Equatable, Sendable {
  /// Of the pipeline's draws; its epoch is the batch's.
  public let key: DrawKey
  /// 0-based position in the epoch.
  public let iteration: Int
  /// Indices into the data set's images.
  public let indices: [Int]
  /// The number of the draw for each, see `DrawKey`.
  public let draws: [Int]
  /// The place of the first in the epoch, counted in images of global batches.
  public let position: Int
  public let size: ImageSize

  public init(
    key: DrawKey, iteration: Int, indices: [Int], draws: [Int]? = nil, position: Int = 0, size: ImageSize
  ) {
    (self.key, self.iteration, self.indices, self.size) = (key, iteration, indices, size)
    (self.draws, self.position) = (draws ?? indices.map { _ in 0 }, position)
  }

  /// Of the draws for one of the images.
  func key(at place: Int) -> DrawKey { key.with(draw: draws[place]) }
}

extension Batch {
  /// A batch of one picture without ground truth, in test mode.
  public init(_ picture: DecodedImage, _ pipeline: Pipeline) {
    let image = CocoDataset.Image(id: 0, fileName: "", width: picture.width, height: picture.height)
    let key = DrawKey(seed: 0, epoch: 0)
    let sample = pipeline.apply(picture, image, key: key)
    self.init([sample], plan: BatchPlan(key: key, iteration: 0, indices: [0], size: sample.geometry.padShape))
  }
}
