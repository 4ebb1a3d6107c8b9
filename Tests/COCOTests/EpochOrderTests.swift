import COCO
import Primitives
import Testing

@Suite struct EpochOrderTests {
  private let groups = (0..<101).map { $0 % 3 == 0 ? 1 : 0 }

  @Test(arguments: [1, 2, 4, 8, 200]) func batchesAreOfOneGroupAndHoldEveryImage(_ batch: Int) {
    let order = EpochOrder(groups: groups, globalBatch: batch, seed: 4, epoch: 2)
    for indices in order.batches {
      #expect(indices.count == batch)
      #expect(Set(indices.map { groups[$0] }).count == 1)
    }
    #expect(Set(order.batches.joined()) == Set(groups.indices))
    let count = [34, 67].reduce(0) { $0 + ($1 + batch - 1) / batch }
    #expect(order.batches.count == count)
  }

  @Test func theOrderIsAFunctionOfSeedAndEpoch() {
    func order(_ seed: UInt64, _ epoch: Int) -> [[Int]] {
      EpochOrder(groups: groups, globalBatch: 4, seed: seed, epoch: epoch).batches
    }
    // Constants: a resume, on another machine and of another build, must find the same order.
    #expect(KeyedRandom.hash("\(order(1, 0))") == 7_592_825_295_917_055_903)
    #expect(KeyedRandom.hash("\(order(.max, 11))") == -1_411_409_952_825_121_957)
    #expect(order(1, 0) != order(1, 1) && order(1, 0) != order(2, 0))
    // Batches of both groups come mixed.
    let flags = order(1, 0).map { groups[$0[0]] }
    #expect(flags != flags.sorted() && flags != flags.sorted(by: >))
    #expect(order(1, 0).joined().map { $0 } != order(1, 0).joined().sorted())
  }

  @Test func withoutShufflingItIsTheFilesOrder() {
    let order = EpochOrder(groups: [0, 1, 0, 1, 0], globalBatch: 2, seed: 1, epoch: 3, shuffles: false)
    #expect(order.batches == [[0, 1], [2, 3], [4, 0]])
    let few = EpochOrder(groups: [0, 1], globalBatch: 5, seed: 1, epoch: 3, shuffles: false)
    #expect(few.batches == [[0, 1, 0, 1, 0]])
  }

  @Test func ranksShareEveryBatchInOrder() {
    let order = EpochOrder(groups: groups, globalBatch: 8, seed: 1, epoch: 0)
    for ranks in 1...8 {
      for (index, batch) in order.batches.enumerated() {
        #expect((0..<ranks).flatMap { batch[order.share(ofBatch: index, rank: $0, ranks: ranks)] } == batch)
      }
    }
    let shares = (0..<3).map { order.share(ofBatch: 0, rank: $0, ranks: 3).count }
    #expect(shares == [3, 3, 2])
  }

  @Test func plansAreThoseOfOneRankCutUp() throws {
    let sizes = (0..<23).map { ImageSize(height: 40 + $0 * 7 % 30, width: 45 + $0 * 5 % 40) }
    let dataset = try TestData.dataset(sizes: sizes)
    let scales = [ImageScale(width: 50, height: 30), ImageScale(width: 90, height: 60)]
    let pipeline = try Pipeline([
      .resize(scales: scales, mode: .range, keepRatio: true, clipsBoxes: true), .pad(sizeDivisor: 8),
    ])
    func plans(_ rank: Int, _ ranks: Int, epoch: Int = 0, iteration: Int = 0) -> [BatchPlan] {
      let options = TrainingPlans.Options(seed: 5, globalBatch: 4, rank: rank, ranks: ranks, epochs: 3)
      return Array(TrainingPlans(dataset, pipeline, options: options, epoch: epoch, iteration: iteration))
    }
    let whole = plans(0, 1)
    let perEpoch = dataset.iterationsPerEpoch(globalBatch: 4)
    #expect(whole.count == 3 * perEpoch)
    #expect(whole.map(\.key.epoch) == (0..<3).flatMap { [Int](repeating: $0, count: perEpoch) })
    let (first, second) = (plans(0, 2), plans(1, 2))
    for (index, plan) in whole.enumerated() {
      #expect(first[index].indices + second[index].indices == plan.indices)
      #expect(first[index].size == plan.size && second[index].size == plan.size)
      #expect(plan.size.width % 8 == 0 && plan.iteration == index % perEpoch)
    }
    // Each epoch has an order of its own.
    let groups = dataset.images.map(\.aspectGroup)
    for epoch in 0..<3 {
      let batches = whole.filter { $0.key.epoch == epoch }.map(\.indices)
      #expect(batches == EpochOrder(groups: groups, globalBatch: 4, seed: 5, epoch: epoch).batches)
    }
    #expect(Set((0..<3).map { epoch in whole.filter { $0.key.epoch == epoch }.map(\.indices) }).count == 3)
    // Any position is reached directly; one past an epoch's end is the next epoch's start.
    #expect(plans(0, 1, epoch: 1, iteration: 2) == Array(whole.dropFirst(perEpoch + 2)))
    #expect(plans(0, 1, epoch: 1, iteration: perEpoch) == Array(whole.dropFirst(2 * perEpoch)))
    #expect(plans(0, 1, epoch: 3).isEmpty)
  }

  @Test func evaluationReadsEveryImageOnce() throws {
    let dataset = try TestData.dataset(sizes: [ImageSize](repeating: ImageSize(height: 9, width: 7), count: 5))
    let plans = dataset.evaluationPlans(of: [0, 2, 4], batch: 2, try Pipeline([.pad(sizeDivisor: 4)]))
    #expect(plans.map(\.indices) == [[0, 2], [4]])
    #expect(plans[0].size == ImageSize(height: 12, width: 8))
    #expect(dataset.evaluationPlans(of: [], batch: 2, try Pipeline([])).isEmpty)
  }
}
