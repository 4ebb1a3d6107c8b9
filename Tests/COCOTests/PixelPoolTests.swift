import COCO
import Primitives
import Testing

@Suite struct PixelPoolTests {
  private func address(_ pixels: [UInt8]) -> Int { pixels.withUnsafeBytes { Int(bitPattern: $0.baseAddress) } }

  @Test func memoryIsUsedAgain() {
    let pool = PixelPool()
    var pixels = pool.take(100_000)
    let first = address(pixels)
    for count in [100_000, 70_001, 1, 100_000] {
      pool.give(pixels)
      pixels = []
      pixels = pool.take(count)
      #expect(pixels.count == count && address(pixels) == first)
    }
  }

  @Test func theSmallestThatFitsIsTakenAndTheSmallestOfAllGivesWay() {
    let pool = PixelPool()
    let sizes = [30_000, 10_000, 20_000]
    let addresses = sizes.map { count in
      let pixels = [UInt8](repeating: 0, count: count)
      pool.give(pixels)
      return address(pixels)
    }
    #expect(address(pool.take(15_000)) == addresses[2])
    _ = pool.take(40_000)
    // The array of 10,000 has gone for it; only that of 30,000 is left.
    #expect(address(pool.take(5)) == addresses[0])
  }

  @Test func whatIsStillReadIsNotWritten() {
    let pool = PixelPool()
    let kept = [UInt8](repeating: 7, count: 50_000)
    pool.give(kept)
    var other = pool.take(50_000)
    for i in other.indices { other[i] = 9 }
    #expect(kept.allSatisfy { $0 == 7 })
  }

  /// A batch that is kept while the loader goes on stays as it was, and the pictures after it are their own.
  @Test func batchesShareNothing() throws {
    let names = ["baseline.jpg", "rgb.png", "progressive.jpg", "gray.jpg", "palette.png"]
    let sizes = [(64, 96), (5, 7), (64, 96), (16, 16), (5, 7)].map { ImageSize(height: $0.0, width: $0.1) }
    let dataset = try TestData.dataset(sizes: sizes, folder: TestData.fixture("")) { names[$0] }
    let pipeline = try Pipeline([
      .resize(scales: [ImageScale(width: 40, height: 40)], mode: .value, keepRatio: true, clipsBoxes: true),
      .randomFlip(ratio: 0.5, direction: .diagonal), .pad(sizeDivisor: 4),
    ])
    let key = DrawKey(seed: 1, epoch: 0)
    let plans = (0..<40).map { number in
      let indices = [number % 5, (number / 5 + 1) % 5]
      return BatchPlan(
        key: key, iteration: number, indices: indices, size: dataset.paddedSize(of: indices, pipeline, key: key))
    }
    let loader = Prefetcher(dataset, pipeline, plans: plans, workers: 2)
    var batches: [Batch] = []
    while let batch = try loader.next() {
      if batch.iteration % 3 == 0 { batches.append(batch) }
    }
    #expect(batches.count == 14)
    for batch in batches {
      let alone = Prefetcher(dataset, pipeline, plans: [plans[batch.iteration]], workers: 1)
      #expect(try alone.next()?.pixels == batch.pixels)
    }
  }
}
