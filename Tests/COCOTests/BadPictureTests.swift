import COCO
import Foundation
import Primitives
import Testing

/// Pictures that can't be read, and others in their places.
@Suite struct BadPictureTests {
  /// Wide and high pictures in a folder that goes when the test is over; some of them are text.
  private final class Pictures {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bad-\(UUID().uuidString)").path
    let dataset: CocoDataset

    /// - Parameters:
    ///   - bad: which are no pictures.
    ///   - missing: which are not there.
    init(_ count: Int = 22, bad: Set<Int>, missing: Set<Int> = [], portraits: Set<Int>? = nil) throws {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let sizes = (0..<count).map { index in
        let (long, short) = (40 + index * 7 % 24, 33 + index * 5 % 7)
        let isHigh = portraits?.contains(index) ?? (index % 3 == 0)
        return isHigh ? ImageSize(height: long, width: short) : ImageSize(height: short, width: long)
      }
      for (index, size) in sizes.enumerated() where !missing.contains(index) {
        let path = "\(folder)/\(index).png"
        if bad.contains(index) {
          try Data("no picture".utf8).write(to: URL(fileURLWithPath: path))
        } else {
          let pixels = (0..<size.height * size.width * 3).map { UInt8(truncatingIfNeeded: $0 * (index + 3) / 7) }
          try ImageEncoder.write(pixels, size, .rgb, to: path)
        }
      }
      dataset = try TestData.dataset(sizes: sizes, folder: folder) { "\($0).png" }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }
  }

  private static func pipeline() throws -> Pipeline {
    let scales = [ImageScale(width: 40, height: 24), ImageScale(width: 80, height: 60)]
    return try Pipeline([
      .resize(scales: scales, mode: .range, keepRatio: true, clipsBoxes: true),
      .randomFlip(ratio: 0.5, direction: .horizontal), .pad(sizeDivisor: 8),
    ])
  }

  /// What is in a global batch, whoever has read it.
  private struct GlobalBatch: Equatable {
    var images: [Batch.Image] = []
    var hashes: [UInt64] = []
    var size: ImageSize
    var bad: [BadPicture] = []
  }

  /// All global batches of some epochs from a place on, put together from the shares of so many ranks.
  private func batches(
    _ dataset: CocoDataset, ranks: Int, globalBatch: Int = 8, epochs: Int = 2, from place: (Int, Int) = (0, 0),
    attempts: Int = 5
  ) throws -> [GlobalBatch] {
    let pipeline = try Self.pipeline()
    var all: [GlobalBatch] = []
    for rank in 0..<ranks {
      let options = TrainingPlans.Options(
        seed: 6, globalBatch: globalBatch, rank: rank, ranks: ranks, epochs: epochs)
      let plans = TrainingPlans(dataset, pipeline, options: options, epoch: place.0, iteration: place.1)
      let loader = Prefetcher(
        dataset, pipeline, plans: plans, workers: 2, badPictures: .replaced(attempts: attempts))
      var number = 0
      while let batch = try loader.next() {
        if rank == 0 { all.append(GlobalBatch(size: batch.size)) }
        #expect(all[number].size == batch.size)
        all[number].images += batch.images
        all[number].bad += batch.badPictures
        let count = batch.size.height * batch.size.width * 3
        for (index, _) in batch.images.enumerated() {
          let pixels = batch.pixels[index * count..<(index + 1) * count]
          all[number].hashes.append(TestData.hash(pixels.flatMap { [UInt8($0)] }))
        }
        number += 1
      }
    }
    return all
  }

  @Test func theBatchesAreTheSameOnAnyNumberOfRanksAndAfterAResume() throws {
    let pictures = try Pictures(bad: [3, 5, 16], missing: [8])
    let alone = try batches(pictures.dataset, ranks: 1)
    #expect(alone.count == 6)
    let ids = Set([3, 5, 8, 16].map { Int64($0 * 10 + 5) })
    for epoch in [alone[..<3], alone[3...]] { #expect(Set(epoch.flatMap(\.bad).map(\.imageID)).isSuperset(of: ids)) }
    for ranks in [2, 3, 8] { #expect(try batches(pictures.dataset, ranks: ranks) == alone, "\(ranks) ranks") }
    let resumed = try batches(pictures.dataset, ranks: 3, from: (1, 1))
    #expect(resumed == Array(alone[4...]))
  }

  @Test func anotherOfTheSameGroupThatFitsTakesThePlace() throws {
    let pictures = try Pictures(bad: [3, 5, 16], missing: [8])
    let (whole, mended) = (try batches(pictures.dataset, ranks: 2), try Pictures(bad: []))
    let good = try batches(mended.dataset, ranks: 1)
    for (number, (batch, other)) in zip(whole, good).enumerated() {
      #expect(batch.size == other.size)
      for (place, (image, expected)) in zip(batch.images, other.images).enumerated() {
        let found = batch.bad.filter { $0.place == number % 3 * 8 + place }
        guard let first = found.first else {
          #expect(image == expected && batch.hashes[place] == other.hashes[place])
          continue
        }
        #expect(first.imageID == expected.id && first.error.place.hasSuffix("/\(expected.id / 10).png"))
        #expect(first.error.kind == (expected.id == 85 ? .inputMissing : .badData))
        #expect(found.allSatisfy { $0.replacement == image.id } && image.draw < 0)
        #expect(!found.map(\.imageID).contains(image.id))
        #expect((image.oriSize.width > image.oriSize.height) == (expected.oriSize.width > expected.oriSize.height))
        #expect(image.padShape.height <= batch.size.height && image.padShape.width <= batch.size.width)
      }
    }
    // Which one it is changes from place to place.
    #expect(Set(whole.flatMap(\.bad).map(\.replacement)).count > 2)
  }

  @Test func aPlaceThatNothingCanFillIsEmpty() throws {
    let pipeline = try Self.pipeline()
    func batch(_ pictures: Pictures, attempts: Int) throws -> Batch {
      let options = TrainingPlans.Options(seed: 6, globalBatch: 22, epochs: 1)
      let loader = Prefetcher(
        pictures.dataset, pipeline, plans: TrainingPlans(pictures.dataset, pipeline, options: options), workers: 1,
        badPictures: .replaced(attempts: attempts))
      while let batch = try loader.next() { if !batch.badPictures.isEmpty { return batch } }
      return try #require(nil as Batch?)
    }
    // No other of its group.
    let alone = try batch(Pictures(bad: [4], portraits: [4]), attempts: 9)
    #expect(alone.hasEmptyPlaces && alone.badPictures.allSatisfy { $0.imageID == 45 && $0.replacement == nil })
    #expect(alone.pixels.allSatisfy { $0 == 0 })
    // No attempt.
    let none = try batch(Pictures(bad: [4]), attempts: 0)
    #expect(none.hasEmptyPlaces && none.badPictures.allSatisfy { $0.imageID == 45 && $0.replacement == nil })
    #expect(none.badPictures.count == none.images.filter { $0.id == 45 }.count)
    // Two attempts, and all but one are bad.
    let few = try batch(Pictures(bad: Set(1..<22), portraits: []), attempts: 2)
    #expect(few.hasEmptyPlaces && few.badPictures.count >= 3)
    let filled = try batch(Pictures(bad: [4]), attempts: 1)
    #expect(!filled.hasEmptyPlaces)
  }

  @Test func aRepeatThatFillsABatchUpIsAnotherDraw() throws {
    let pictures = try Pictures(5, bad: [], portraits: [2])
    let all = try batches(pictures.dataset, ranks: 1, globalBatch: 32, epochs: 1)
    let portraits = try #require(all.first { $0.images[0].id == 25 })
    #expect(portraits.images.allSatisfy { $0.id == 25 } && portraits.images.map(\.draw) == Array(0..<32))
    #expect(Set(portraits.hashes).count > 24)
    #expect(Set(portraits.images.map { $0.geometry.flip == nil }).count == 2)
    // They come like this on any number of ranks.
    #expect(try batches(pictures.dataset, ranks: 3, globalBatch: 32, epochs: 1) == all)
  }
}
