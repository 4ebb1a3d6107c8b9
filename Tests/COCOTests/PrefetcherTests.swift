import COCO
import Foundation
import Primitives
import Testing

@Suite struct PrefetcherTests {
  private static let names = ["baseline.jpg", "progressive.jpg", "rgb.png", "gray.jpg", "palette.png", "rgba.png"]
  private static let sizes = [(64, 96), (64, 96), (5, 7), (16, 16), (5, 7), (5, 7)]

  private func dataset(replacing index: Int? = nil, by name: String = "") throws -> CocoDataset {
    try TestData.dataset(
      sizes: Self.sizes.map { ImageSize(height: $0.0, width: $0.1) }, folder: TestData.fixture("")
    ) { $0 == index ? name : Self.names[$0] }
  }

  private let pipeline = Result {
    try Pipeline([.randomFlip(ratio: 0.5, direction: .horizontal), .pad(sizeDivisor: 4)])
  }

  private func batches(
    workers: Int, depth: Int = 2, epoch: Int = 0, iteration: Int = 0
  ) throws -> [(epoch: Int, iteration: Int, ids: [Int64], size: ImageSize, pixels: [Float])] {
    let (dataset, pipeline) = (try dataset(), try pipeline.get())
    let options = TrainingPlans.Options(seed: 8, globalBatch: 2, epochs: 4)
    let plans = TrainingPlans(dataset, pipeline, options: options, epoch: epoch, iteration: iteration)
    let loader = Prefetcher(dataset, pipeline, plans: plans, workers: workers, depth: depth)
    var all: [(epoch: Int, iteration: Int, ids: [Int64], size: ImageSize, pixels: [Float])] = []
    while let batch = try loader.next() {
      all.append((batch.epoch, batch.iteration, batch.images.map(\.id), batch.size, batch.pixels))
    }
    #expect(try loader.next() == nil)
    return all
  }

  @Test(arguments: [1, 2, 5]) func theNumberOfThreadsChangesNothing(_ workers: Int) throws {
    let expected = try batches(workers: 1, depth: 1)
    #expect(expected.count == 4 * 4)
    let actual = try batches(workers: workers, depth: 3)
    #expect(actual.count == expected.count)
    for (actual, expected) in zip(actual, expected) { #expect(actual == expected) }
  }

  @Test func startsAnywhere() throws {
    let whole = try batches(workers: 2)
    let rest = try batches(workers: 2, epoch: 2, iteration: 1)
    #expect(rest.count == 7)
    for (actual, expected) in zip(rest, whole.suffix(7)) { #expect(actual == expected) }
  }

  @Test func anErrorComesInItsTurnAndNamesThePicture() throws {
    let dataset = try dataset(replacing: 3, by: "picture.heic")
    let pipeline = try pipeline.get()
    let plans = dataset.evaluationPlans(of: Array(0..<6), batch: 2, pipeline)
    let loader = Prefetcher(dataset, pipeline, plans: plans, workers: 3)
    #expect(try loader.next()?.images.map(\.id) == [5, 15])
    let error = #expect(throws: COCOError.self) { try loader.next() }
    #expect(error?.place.hasSuffix("Fixtures/picture.heic") == true)
    #expect(error?.message.hasPrefix("is a HEIC picture; convert it to JPEG or PNG") == true)
    #expect(try loader.next()?.images.map(\.id) == [45, 55])
    #expect(try loader.next() == nil)
  }

  /// However long a batch is not asked for. Each plan that is taken is counted at that moment, over many batches.
  @Test func readsAsFarAheadAsItsDepthAndNoFurther() throws {
    let (dataset, pipeline) = (try dataset(), try pipeline.get())
    let options = TrainingPlans.Options(seed: 8, globalBatch: 2, epochs: 1_000_000)
    let lead = Lead()
    let plans = TrainingPlans(dataset, pipeline, options: options).lazy.map { plan in
      lead.grow()
      return plan
    }
    let loader = Prefetcher(dataset, pipeline, plans: plans, workers: 4, depth: 3)
    for _ in 0..<300 {
      try #require(lead.reaches(3), "the threads don't read ahead")
      lead.shrink()
      #expect(try loader.next() != nil)
    }
    #expect(lead.largest == 3)
    loader.stop()
    #expect(try loader.next() == nil)
  }

  /// How many plans have been taken of which no batch was asked for.
  private final class Lead: @unchecked Sendable {
    private let condition = NSCondition()
    private var (now, most) = (0, 0)

    var largest: Int { condition.withLock { most } }
    func shrink() { condition.withLock { now -= 1 } }

    func grow() {
      condition.withLock {
        now += 1
        most = max(most, now)
        condition.broadcast()
      }
    }

    /// Waits for it; false where it hangs.
    func reaches(_ count: Int) -> Bool {
      let deadline = Date().addingTimeInterval(600)
      return condition.withLock {
        while now < count { if !condition.wait(until: deadline) { return false } }
        return true
      }
    }
  }
}
