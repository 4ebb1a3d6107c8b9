import Foundation
import Primitives

/// The batches that are being read: a first-in, first-out queue of bounded length whose entries are filled image by image.
///
/// Everything mutable is touched under the condition's lock only.
final class BatchQueue: @unchecked Sendable {
  /// A batch in the making.
  private final class Entry {
    let plan: BatchPlan
    /// How many of its images have been handed to a thread, and how many have come back.
    var started = 0
    var finished = 0
    var images: [ReadImage?]
    /// The error of the image that comes first in the batch.
    var failure: (position: Int, error: any Error)?

    init(_ plan: BatchPlan) {
      self.plan = plan
      images = [ReadImage?](repeating: nil, count: plan.indices.count)
    }

    var isComplete: Bool { finished == images.count }
  }

  private let condition = NSCondition()
  private let plans: AnyIterator<BatchPlan>
  private let depth: Int
  private let pool: PixelPool
  /// The pictures of the batch that was handed out last. Their memory is free when the next one is asked for.
  private var lent: [DecodedImage] = []
  private var entries: [Entry] = []
  private var hasAllPlans = false
  private var isStopped = false

  init(plans: AnyIterator<BatchPlan>, depth: Int, _ pool: PixelPool) {
    (self.plans, self.depth, self.pool) = (plans, depth, pool)
  }

  func next() throws -> Batch? {
    guard let entry = takeFirst() else { return nil }
    if let failure = entry.failure { throw failure.error }
    return Batch(entry.images.compactMap { $0 }, plan: entry.plan)
  }

  func stop() {
    condition.withLock {
      isStopped = true
      entries = []
      condition.broadcast()
    }
  }

  /// A thread's life: takes the next image that nobody reads yet, until there is none or the queue is stopped.
  func work(_ read: (BatchPlan, _ place: Int) throws -> ReadImage) {
    while let (entry, position) = takeImage() {
      let result = Result { try read(entry.plan, position) }
      condition.withLock {
        entry.finished += 1
        switch result {
        case .success(let image): entry.images[position] = image
        case .failure(let error):
          if position < entry.failure?.position ?? .max { entry.failure = (position, error) }
        }
        if entry.isComplete { condition.broadcast() }
      }
    }
  }

  private func takeFirst() -> Entry? {
    condition.withLock {
      for picture in lent { pool.give(picture.pixels) }
      lent = []
      while !isStopped && !(entries.first?.isComplete ?? hasAllPlans) { condition.wait() }
      guard !isStopped, !entries.isEmpty else { return nil }
      condition.broadcast()
      let entry = entries.removeFirst()
      lent = entry.images.compactMap { $0?.sample.picture }
      return entry
    }
  }

  private func takeImage() -> (Entry, Int)? {
    condition.withLock {
      while !isStopped {
        if let entry = entries.first(where: { $0.started < $0.images.count }) ?? startNext() {
          entry.started += 1
          return (entry, entry.started - 1)
        }
        if hasAllPlans { return nil }
        condition.wait()
      }
      return nil
    }
  }

  /// Opens the next batch, if there is one and there is room for it.
  private func startNext() -> Entry? {
    guard !hasAllPlans, entries.count < depth else { return nil }
    guard let plan = plans.next() else {
      hasAllPlans = true
      condition.broadcast()
      return nil
    }
    require(!plan.indices.isEmpty, "a batch without images")
    let entry = Entry(plan)
    entries.append(entry)
    return entry
  }
}
