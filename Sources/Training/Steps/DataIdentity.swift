import COCO
import Primitives

/// What tells one data set for training from another, as checkpoints say it.
struct DataIdentity: Codable, Equatable {
  let images: Int
  let iterationsPerEpoch: Int
  /// Of the images' ids, in the file's order.
  let imagesHash: Int

  init(images: Int, iterationsPerEpoch: Int, imagesHash: Int) {
    (self.images, self.iterationsPerEpoch, self.imagesHash) = (images, iterationsPerEpoch, imagesHash)
  }

  /// nil where a checkpoint doesn't say it: an older one, or one of another program.
  init?(_ progress: [String: Int]) {
    guard let images = progress["images"], let iterations = progress["iterations_per_epoch"],
      let hash = progress["images_hash"]
    else { return nil }
    self.init(images: images, iterationsPerEpoch: iterations, imagesHash: hash)
  }

  /// Under `/progress`.
  var progress: [String: Int] {
    ["images": images, "iterations_per_epoch": iterationsPerEpoch, "images_hash": imagesHash]
  }

  /// Of the ids of a data set's images, in their order.
  static func imagesHash(of dataset: CocoDataset) -> Int {
    var hash = FNV1a()
    for index in dataset.images.indices {
      switch dataset.images.identifier(at: index) {
      case .number(let id): hash.add(UInt64(bitPattern: id))
      case .text(let id):
        hash.add(id.utf8)
        hash.add(CollectionOfOne(0))
      }
    }
    return Int(bitPattern: UInt(hash.value))
  }
}
