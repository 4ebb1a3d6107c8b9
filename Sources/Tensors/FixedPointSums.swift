import Kernels
import Primitives

/// The gradients of a store as sums in fixed point, to which images are added one by one: the sums are the same in whatever
/// order, and on however many ranks, the images come.
///
/// A step: `begin`; for each image a backward pass and `addImage`, for the last one `add`, part by part; the sums over all
/// ranks; `move`, which puts them into the arena of gradients.
public final class FixedPointSums {
  /// What could not be added.
  public struct Failure: Sendable {
    /// The place of the image in this rank's share.
    public let image: Int
    /// The first parameter with a gradient that is not finite or beyond the range.
    public let parameter: String
  }

  /// The first of the step; nil where all went well.
  public private(set) var failure: Failure?
  private let store: ParameterStore
  private let workers: Workers
  private let memory: Buffer
  private var image = 0
  private var bound: Float = 0

  /// The store must be allocated.
  public init(store: ParameterStore, workers: Workers) {
    (self.store, self.workers) = (store, workers)
    memory = BufferPool().buffer(2 * store.trainableCount)
    memory.fill(0)
  }

  /// The sums, in the order of the arena of gradients; units of `FixedPoint.unit`.
  public var sums: UnsafeMutablePointer<Int64> {
    UnsafeMutableRawPointer(memory.values).assumingMemoryBound(to: Int64.self)
  }

  /// To be called at the start of each pass over a share.
  /// - Parameter images: of all ranks and all passes of a step together, so that no sum can leave the range.
  public func begin(images: Int) {
    (failure, image) = (nil, 0)
    bound = Float(FixedPoint.capacity) / Float(max(1, images))
  }

  /// Adds the gradients of an image, of which others follow.
  public func addImage() {
    add(0..<store.trainableCount)
    image += 1
  }

  /// Adds the gradients of a part of the arena and zeroes them.
  public func add(_ range: Range<Int>) {
    let gradients = store.gradients + range.lowerBound
    guard !FixedPoint.add(gradients, to: sums + range.lowerBound, range.count, bound: bound, workers) else { return }
    let first = range.first { store.gradients[$0] != 0 } ?? range.lowerBound
    let parameter = store.trainable.last { $0.offset <= first && $0.count > 0 }
    failure = failure ?? Failure(image: image, parameter: parameter?.name ?? "")
    gradients.update(repeating: 0, count: range.count)
  }

  /// Puts the sums of a part into the arena of gradients, as the nearest floats.
  public func move(_ range: Range<Int>) {
    FixedPoint.move(sums + range.lowerBound, to: store.gradients + range.lowerBound, range.count, workers)
  }
}
