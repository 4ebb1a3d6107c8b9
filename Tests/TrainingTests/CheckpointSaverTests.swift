import Foundation
import Synchronization
import Tensors
import Testing
import Training

@Suite struct CheckpointSaverTests {
  private let folder: Scratch
  private let store = ParameterStore()

  init() throws {
    folder = try Scratch()
    let shape = [8, 3, 3, 3]
    _ = store.add("a.weight", shape: shape, layout: .convolution, isTrainable: true, initializer: .normal(1))
    _ = store.add("a.running_mean", shape: [8], isTrainable: false, initializer: .normal(1))
    _ = store.add("b.weight", shape: [4, 8], isTrainable: true, initializer: .xavierUniform)
    store.allocate(seed: 5)
    store.keep([.momentum])
    for i in 0..<store.trainableCount { store.momenta[i] = Float(i) }
  }

  private var header: Checkpoint {
    Checkpoint(
      created: "2026-01-31", producer: "test", epoch: 1, iteration: 2, worldSize: 1, globalBatch: 2, seed: 3,
      configuration: "", classes: ["a"], categoryIDs: [1], model: [])
  }

  private func path(_ name: String) -> String { "\(folder.path)/\(name)" }

  @Test func besideTheTrainingItWritesTheSameBytesOfTheSameMoment() throws {
    for (isBeside, name) in [(false, "waiting.h5"), (true, "beside.h5")] {
      let saver = CheckpointSaver(of: store, isBeside: isBeside)
      #expect(saver.isBeside == isBeside)
      let before = store.values[0]
      saver.start(header, to: path(name), link: path("latest.h5"))
      // The next step.
      store.values[0] = 77
      store.momenta[0] = 77
      let result = try #require(saver.result(waiting: true))
      try result.get()
      #expect(saver.result(waiting: false) == nil && !saver.isUnderWay)
      (store.values[0], store.momenta[0]) = (before, 0)
      #expect(try CheckpointFile.read(path("latest.h5")) == CheckpointFile.read(path(name)))
    }
    #expect(try CheckpointFile.read(path("waiting.h5")) == CheckpointFile.read(path("beside.h5")))
    let read = try Checkpoint(image: CheckpointFile.read(path("beside.h5")), name: "beside.h5")
    #expect(read.model.map(\.name) == ["a.running_mean", "a.weight", "b.weight"])
    #expect(read.momenta.map(\.name) == ["a.weight", "b.weight"])
    #expect(read.momenta[1].values == (216..<248).map { Float($0) })
  }

  @Test(arguments: [true, false]) func aFullDiskIsTriedAgain(_ isBeside: Bool) throws {
    for (full, isSaved) in [(0, true), (1, true), (2, true), (3, false)] {
      let count = Counter()
      var attempts = SaveAttempts()
      attempts.pauses = [0, 0]
      attempts.diskIsFull = { count.next() <= full }
      let saver = CheckpointSaver(of: store, isBeside: isBeside, attempts: attempts)
      saver.start(header, to: path("\(full).h5"))
      let result = try #require(saver.result(waiting: true))
      #expect(FileManager.default.fileExists(atPath: path("\(full).h5")) == isSaved)
      #expect(count.value == min(full + 1, 3))
      guard case .failure(let error) = result else {
        #expect(isSaved)
        continue
      }
      #expect(!isSaved && error.exitCode == .io)
      #expect(error.description.contains("could not be written (1 MiB needed): No space left on device; "), "\(error)")
    }
  }

  @Test func whoIsInAHurryDoesNotWait() throws {
    let count = Counter()
    var attempts = SaveAttempts()
    attempts.pauses = [1e9]
    attempts.diskIsFull = { count.next() > 0 }
    attempts.isHurried = { true }
    let saver = CheckpointSaver(of: store, isBeside: false, attempts: attempts)
    saver.start(header, to: path("a.h5"))
    #expect(throws: CheckpointError.self) { try saver.result(waiting: true)?.get() }
    #expect(count.value == 1)
  }

  /// What a little time does not mend is not tried again.
  @Test func aMissingFolderIsAnErrorAtOnce() throws {
    var attempts = SaveAttempts()
    attempts.pauses = [1e9]
    let saver = CheckpointSaver(of: store, isBeside: true, attempts: attempts)
    saver.start(header, to: "/nowhere/a.h5")
    #expect(throws: CheckpointError.self) { try saver.result(waiting: true)?.get() }
  }

  /// Room for the copy, for the file in memory and for its growth.
  @Test func theMemoryDecides() {
    let needed = 3 * ParameterCopy.byteCount(of: store)
    #expect(ParameterCopy.byteCount(of: store) == 4 * (store.count + store.trainableCount))
    #expect(AsyncSaving(.auto, of: store, available: needed).isBeside)
    #expect(AsyncSaving(.auto, of: store, available: nil).isBeside)
    let short = AsyncSaving(.auto, of: store, available: needed - 1)
    #expect(!short.isBeside)
    #expect(short.words == "while the training waits: beside it a save wants 1 MiB, and 1 are available")
    #expect(AsyncSaving(.always, of: store, available: 0).isBeside)
    #expect(!AsyncSaving(.never, of: store, available: needed).isBeside)
  }

  @Test func theMemoryThatIsThereIsKnown() throws {
    let available = try #require(Machine.availableMemory)
    #expect(available > 0 && available <= Int(clamping: ProcessInfo.processInfo.physicalMemory))
  }

  private final class Counter: Sendable {
    private let count = Mutex(0)
    func next() -> Int {
      count.withLock {
        $0 += 1
        return $0
      }
    }
    var value: Int { count.withLock { $0 } }
  }
}

@Suite struct KeptCheckpointsTests {
  private func file(_ iteration: Int) -> KeptCheckpoints.File {
    KeptCheckpoints.File(name: "iter_\(iteration).h5", iteration: iteration)
  }

  /// Iterations written, limit, measured ones, and what is left.
  static let cases: [(written: [Int], limit: Int, validated: Set<Int>, left: [Int])] = [
    ([1, 2, 3, 4], 2, [], [3, 4]), ([1, 2], 5, [], [1, 2]), ([1, 2, 3], 1, [], [3]),
    ([1, 2, 3], 1, [1], [1, 3]), ([1, 2, 3], 1, [1, 2], [2, 3]), ([1, 2, 3], 1, [3], [3]),
    ([1, 2, 3], 2, [2], [2, 3]),
  ]

  @Test(arguments: cases.indices) func neverTheNewestNorTheOnlyMeasured(_ index: Int) {
    let (written, limit, validated, left) = Self.cases[index]
    var kept = KeptCheckpoints([KeptCheckpoints.File]())
    for iteration in written { kept.add(file(iteration)) }
    let removed = kept.removeSurplus(limit: limit, validated: validated)
    #expect(kept.files.map(\.iteration) == left)
    #expect(Set(removed + kept.files.map(\.name)) == Set(written.map { file($0).name }))
  }

  @Test func oneThatIsWrittenAgainIsTheNewest() {
    var kept = KeptCheckpoints([file(5), file(10)])
    kept.add(file(5))
    #expect(kept.files == [file(10), file(5)])
  }
}

@Suite struct BestCheckpointTests {
  @Test func theGreaterIsTheBetter() {
    var best = BestCheckpoint(BestMetric(rawValue: "bbox_mAP_50"), byEpoch: true)
    #expect(best.name == nil && best.progress.isEmpty)
    let scores = [-1.0, 0.25, 0.25, 0.125, 0.375]
    let taken = scores.enumerated().map { best.take(["bbox_mAP_50": $1], epoch: $0 + 1, iteration: 10 * ($0 + 1)) }
    #expect(taken == [true, true, false, false, true])
    #expect(best.name == "best_bbox_mAP_50_epoch_5.h5" && best.score == 0.375)
    let isTaken = best.take(["bbox_mAP": 1], epoch: 6, iteration: 60)
    #expect(!isTaken)

    var resumed = BestCheckpoint(BestMetric(rawValue: "bbox_mAP_50"), byEpoch: true)
    resumed.resume(from: best.progress)
    #expect(resumed == best)
    var other = BestCheckpoint(.all, byEpoch: false)
    other.resume(from: best.progress)
    #expect(other.name == nil, "the score of another number is none")
    let isFirst = other.take(["bbox_mAP": 0.1], epoch: 6, iteration: 60)
    #expect(isFirst && other.name == "best_bbox_mAP_iter_60.h5")
  }
}
