import COCO
import Detection
import Distributed
import Foundation
import MPI
import Primitives
import Tensors
import Training

/// Training steps on what the loader gives, in turn with the same steps on one batch over and over: what the loader costs a
/// training. On each rank; all of them take their steps together.
final class LoaderSteps {
  /// Medians over steps of one kind, in seconds.
  struct Block {
    let step: Double
    /// The part of the step in which it waited for its batch and turned that into floats.
    let data: Double
    /// What all threads of this rank computed, the mean over steps; what else the machine does matters little to it.
    let processor: Double
  }

  typealias Round = (loader: Block, repeated: Block)

  private let dataset: CocoDataset
  private let pipeline: Pipeline
  private let world: World
  private let model: DetectorModel
  private let step: TrainingStep
  private var iteration = 0

  /// What the first steps of a block take more than the others is left out: the loader begins with nothing read.
  private static let warmUp = 2

  /// Collective.
  /// - Parameter threads: of this rank, besides the loader's.
  init(_ dataset: CocoDataset, _ pipeline: Pipeline, threads: Int, world: World) throws {
    (self.dataset, self.pipeline, self.world) = (dataset, pipeline, world)
    let (configuration, order) = (RunConfiguration.benchmark, CollectiveOrder())
    let statistics = world.size > 1 ? try SynchronizedStatistics(world: world, order: order) : nil
    model = DetectorModel(configuration.model, seed: 0, threads: threads, synchronizer: statistics)
    step = try TrainingStep(model: model, world: world, configuration: configuration, order: order)
  }

  /// Collective.
  /// - Parameters:
  ///   - plans: the batches of this rank's share, which go on for ever and are of one size.
  ///   - steps: of a block.
  func round(_ plans: some Sequence<BatchPlan>, loaderThreads: Int, steps: Int) throws -> Round {
    let prefetcher = Prefetcher(dataset, pipeline, plans: plans, workers: loaderThreads)
    var newest: Batch?
    let loader = try block(steps) {
      newest = try prefetcher.next()
      guard let newest else { bug("the plans came to an end") }
      return newest.input(on: model.engine)
    }
    prefetcher.stop()
    guard let newest else { bug("a block without steps") }
    var floats: [Float] = []
    newest.fill(&floats)
    let (metas, targets) = { ($0.metas, $0.targets) }(newest.input(on: model.engine))
    let repeated = try block(steps) {
      let images = Tensor([newest.images.count, newest.size.height, newest.size.width, 3], on: model.engine)
      for i in 0..<images.count { images.values[i] = floats[i] }
      return DetectorInput(images: images, metas: metas, targets: targets)
    }
    return (loader, repeated)
  }

  private func block(_ steps: Int, _ input: () throws -> DetectorInput) throws -> Block {
    var (seconds, data): ([Double], [Double]) = ([], [])
    var before = 0.0
    for number in 0..<Self.warmUp + steps {
      try world.barrier()
      if number == Self.warmUp { before = Self.processorSeconds }
      let start = ContinuousClock.now
      let input = try input()
      let dataTime = start.duration(to: .now).seconds
      // Nothing is learnt, so that both sides do the same.
      let outcome = try step.run(on: input, seed: 0, epoch: 0, iteration: iteration, learningRate: 0)
      iteration += 1
      var longest = [start.duration(to: .now).seconds, dataTime]
      try world.maximum(&longest)
      guard outcome.defect == nil else {
        throw RunError("the loss or a gradient is not finite", exitCode: .badData)
      }
      guard number >= Self.warmUp else { continue }
      seconds.append(longest[0])
      data.append(longest[1])
    }
    let processor = (Self.processorSeconds - before) / Double(steps)
    return Block(step: median(seconds), data: median(data), processor: processor)
  }

  /// Of this process so far.
  private static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// What `rcnn-bench loader --steps` reports.
struct LoaderStepsResult {
  let size: ImageSize
  let batch: Int
  let ranks: Int
  let threads: Int
  let loaderThreads: Int
  let rounds: [LoaderSteps.Round]

  private var ratios: [Double] { rounds.map { $0.loader.step / $0.repeated.step } }
  private var processorRatio: Double { median(rounds.map { $0.loader.processor / $0.repeated.processor }) }

  var json: String {
    JSON.object([
      ("bench", .text("loader-steps")), ("height", .integer(size.height)), ("width", .integer(size.width)),
      ("batch", .integer(batch)), ("ranks", .integer(ranks)), ("threads", .integer(threads)),
      ("loader_threads", .integer(loaderThreads)), ("rounds", .integer(rounds.count)),
      ("ratio", .decimal(median(ratios), digits: 4)), ("ratio_min", .decimal(ratios.min() ?? 0, digits: 4)),
      ("ratio_max", .decimal(ratios.max() ?? 0, digits: 4)),
      ("processor_ratio", .decimal(processorRatio, digits: 4)),
      ("step_seconds", .decimal(median(rounds.map(\.loader.step)), digits: 6)),
      ("repeated_step_seconds", .decimal(median(rounds.map(\.repeated.step)), digits: 6)),
      ("data_seconds", .decimal(median(rounds.map(\.loader.data)), digits: 6)),
    ]).text()
  }

  /// `round 1: 1.2345 s with the loader, 1.2300 s on a repeated batch, ratio 1.004; data_time 3.1 ms`
  static func line(_ number: Int, _ round: LoaderSteps.Round) -> String {
    "round \(number): \(decimal(round.loader.step, 4)) s with the loader, \(decimal(round.repeated.step, 4)) s on a "
      + "repeated batch, ratio \(decimal(round.loader.step / round.repeated.step, 3)); data_time "
      + "\(decimal(1000 * round.loader.data, 1)) ms; of processor time \(decimal(round.loader.processor, 3)) and "
      + "\(decimal(round.repeated.processor, 3)) s"
  }

  var summary: String {
    "ratio \(decimal(median(ratios), 3)) (median of \(rounds.count), \(decimal(ratios.min() ?? 0, 3)) to "
      + "\(decimal(ratios.max() ?? 0, 3))), of processor time \(decimal(processorRatio, 3)); \(batch) images "
      + "a rank within \(size.height) x \(size.width), \(ranks) ranks of "
      + "\(threads) threads and \(loaderThreads) for loading"
  }
}
