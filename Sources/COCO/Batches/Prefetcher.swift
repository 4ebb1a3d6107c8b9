import Primitives

/// Reads batches ahead on background threads and hands them out in the order of their plans. The images of a batch are
/// read by all threads together, and of the next batches before the first is asked for.
public final class Prefetcher: Sendable {
  private let queue: BatchQueue

  /// - Parameters:
  ///   - dataset: whose images are read.
  ///   - pipeline: what is applied to each.
  ///   - plans: the batches, in order.
  ///   - workers: threads (at least one). They only work while there is room for a batch, so that what they take from
  ///     the processors is the cost of the images and nothing else, however many they are.
  ///   - depth: batches that are held in memory at most, read or being read, besides the one handed out last.
  ///   - badPictures: what becomes of them.
  public init(
    _ dataset: CocoDataset, _ pipeline: Pipeline, plans: some Sequence<BatchPlan>, workers: Int,
    depth: Int = 2, badPictures: BadPictureUse = .thrown
  ) {
    let pool = PixelPool()
    let queue = BatchQueue(plans: AnyIterator(plans.makeIterator()), depth: max(1, depth), pool)
    self.queue = queue
    for number in 0..<max(1, workers) {
      SystemThread.start("loader \(number)") {
        queue.work { plan, place in
          try dataset.read(place, of: plan, pipeline, badPictures, pool)
        }
      }
    }
  }

  /// The next batch, waiting for it if need be; nil after the last one, and after `stop`.
  /// - Throws: the error of the first image of this batch that can't be used, unless others take their places; the
  ///   following call gives the next batch.
  public func next() throws -> Batch? { try queue.next() }

  /// Ends the threads as soon as each has done its image. Batches not yet handed out are dropped.
  public func stop() { queue.stop() }

  deinit { queue.stop() }
}
