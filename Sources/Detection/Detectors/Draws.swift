import Primitives

/// The key of a step's random samplers. With the image's id it decides every draw, on whatever rank the image is.
public struct Draws: Sendable {
  public let seed: UInt64
  /// 0-based.
  public let epoch: Int

  public init(seed: UInt64, epoch: Int) { (self.seed, self.epoch) = (seed, epoch) }

  /// - Parameter stage: of a cascade, from 0 on.
  func random(_ purpose: KeyedRandom.Purpose, _ image: ImageMeta, stage: Int = 0) -> KeyedRandom {
    KeyedRandom(seed: seed, purpose: purpose, epoch: epoch, item: image.imageID, draw: image.draw, stage: stage)
  }
}
