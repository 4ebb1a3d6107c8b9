import Primitives

/// A picture of a batch that can't be read or decoded, or has another size than the annotation file says.
public struct BadPicture: Codable, Equatable, Sendable {
  public let imageID: Int64
  /// As the annotation file writes it.
  public let identifier: FileIdentifier
  public let error: COCOError
  /// The place in the epoch, counted in images of global batches, that it was read for.
  public let place: Int
  /// The image that took the place; nil: none could.
  public internal(set) var replacement: Int64?
  public internal(set) var replacementIdentifier: FileIdentifier?

  /// - Parameters:
  ///   - index: of the image in the data set.
  ///   - dataset: the data set.
  ///   - error: what is wrong with the picture.
  ///   - place: in the epoch, counted in images of global batches.
  public init(_ index: Int, of dataset: CocoDataset, error: COCOError, place: Int) {
    (imageID, identifier) = (dataset.images.id(at: index), dataset.images.identifier(at: index))
    (self.error, self.place) = (error, place)
  }
}

/// What becomes of a bad picture in a batch.
public enum BadPictureUse: Equatable, Sendable {
  /// `Prefetcher.next` throws its error.
  case thrown
  /// An image that can be read takes its place, if there is one among so many. Else the place is empty, and the batch good
  /// for nothing but to keep in step with the other ranks.
  case replaced(attempts: Int)
}

/// What was read for a place of a batch.
struct ReadImage {
  let sample: Sample
  var badPictures: [BadPicture] = []
  var isEmpty = false
}

extension CocoDataset {
  /// The image of a place in a plan, or what takes its place.
  ///
  /// Which one that is depends on the plan's key and place, and on which pictures are bad, and on nothing else: no other rank
  /// need know of it. It is of the same aspect group, and fits into the size that the batch has without it.
  /// - Throws: `COCOError` naming the file.
  func read(
    _ place: Int, of plan: BatchPlan, _ pipeline: Pipeline, _ use: BadPictureUse, _ pool: PixelPool
  ) throws -> ReadImage {
    let index = plan.indices[place]
    do {
      return ReadImage(sample: try sample(index, pipeline, key: plan.key(at: place), pool))
    } catch let error as COCOError {
      guard case .replaced(let attempts) = use else { throw error }
      let position = plan.position + place
      // No draw for a place of its own has a negative number.
      let key = plan.key.with(draw: -1 - position)
      var bad = [BadPicture(index, of: self, error: error, place: position)]
      for candidate in attempts > 0 ? replacements(of: index, in: plan, pipeline, key).prefix(attempts) : [] {
        do {
          let sample = try sample(candidate, pipeline, key: key, pool)
          for number in bad.indices {
            bad[number].replacement = sample.imageID
            bad[number].replacementIdentifier = images.identifier(at: candidate)
          }
          return ReadImage(sample: sample, badPictures: bad)
        } catch let error as COCOError {
          bad.append(BadPicture(candidate, of: self, error: error, place: position))
        }
      }
      let empty = pipeline.apply(.black(images.size(at: index)), images[index], key: plan.key(at: place), pool)
      return ReadImage(sample: empty, badPictures: bad, isEmpty: true)
    }
  }

  /// The images that may take a place, in the order in which they are tried.
  private func replacements(
    of index: Int, in plan: BatchPlan, _ pipeline: Pipeline, _ key: DrawKey
  ) -> [Int] {
    let group = images.aspectGroup(at: index)
    let id = images.id(at: index)
    var members = images.indices.filter { images.id(at: $0) != id && images.aspectGroup(at: $0) == group }
    var random = KeyedRandom(seed: key.seed, purpose: .replacement, epoch: key.epoch, draw: key.draw)
    random.shuffle(&members)
    return members.filter { member in
      let shape = pipeline.geometry(of: images.size(at: member), imageID: images.id(at: member), key: key).padShape
      return shape.height <= plan.size.height && shape.width <= plan.size.width
    }
  }
}

extension DecodedImage {
  fileprivate static func black(_ size: ImageSize) -> DecodedImage {
    let pixels = [UInt8](repeating: 0, count: size.height * size.width * 3)
    return DecodedImage(height: size.height, width: size.width, pixels: pixels)
  }
}
