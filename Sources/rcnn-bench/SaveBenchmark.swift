import ArgumentParser
import Distributed
import Foundation
import MPI
import Primitives
import Training

/// `rcnn-bench save`: what a checkpoint costs the training.
struct SaveBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "save",
    abstract: "Times what a checkpoint takes away from the training, written beside it and while it waits.",
    discussion: """
      Lost is the time until the model may change again, and what the steps take longer while the checkpoint is \
      written. Without --config: faster_rcnn_r50_fpn_1x_coco. One process.
      """)

  @Option(help: ArgumentHelp("The size of the network's input.", valueName: "HEIGHTxWIDTH"))
  var size = Size(argument: "320x320")!

  @Option(help: "Images a step.")
  var batch = 2

  @Option(help: "Steps that are timed without a save, before each one.")
  var steps = 5

  @Option(help: "Saves of each kind; the medians count.")
  var rounds = 3

  @Option(help: ArgumentHelp("Where to write to.", valueName: "DIR"))
  var dir = "."

  @Option(help: ArgumentHelp("Take the model and the optimizer of this configuration.", valueName: "CONFIG"))
  var config: String?

  @Flag(help: "Print a line of JSON for each kind.")
  var json = false

  func validate() throws {
    guard min(batch, steps, rounds) > 0 else {
      throw ValidationError("--batch, --steps and --rounds are numbers from 1 on")
    }
  }

  func run() {
    Boundary.run(singleRank: true, signals: .system) { world in
      let configuration = try config.map { try ReadConfiguration(file: $0).run } ?? .benchmark
      let training = try Training(configuration, world, size: size.pixels, batch: batch)
      for isBeside in [false, true] {
        let costs = try (0..<rounds).map { _ in try cost(training, isBeside: isBeside) }
        print(line(costs, isBeside: isBeside))
      }
      return 0
    }
  }

  /// Seconds.
  private struct Cost {
    let step: Double
    /// Until the model may change again.
    let blocked: Double
    /// What the steps beside it took longer.
    let slowed: Double
    let bytes: Int
  }

  private func cost(_ training: Training, isBeside: Bool) throws -> Cost {
    _ = try training.step()
    let step = median(try (0..<steps).map { _ in try training.step() })
    let path = "\(dir)/rcnn-bench-\(getpid()).h5"
    defer { unlink(path) }
    let saver = training.saver(isBeside: isBeside)
    let start = ContinuousClock.now
    saver.start(training.header, to: path)
    let blocked = start.duration(to: .now).seconds
    var slowed = 0.0
    var result = saver.result(waiting: false)
    while result == nil {
      slowed += try training.step() - step
      result = saver.result(waiting: false)
    }
    try result?.get()
    return Cost(step: step, blocked: blocked, slowed: slowed, bytes: try CheckpointFile.read(path).count)
  }

  private func line(_ costs: [Cost], isBeside: Bool) -> String {
    let (step, blocked) = (median(costs.map(\.step)), median(costs.map(\.blocked)))
    let slowed = median(costs.map(\.slowed))
    guard json else {
      return """
        \(column(isBeside ? "beside the training" : "while it waits", width: 20))  lost \
        \(decimal(blocked + slowed, 3)) s (\(decimal(blocked, 3)) waiting, \(decimal(slowed, 3)) in slower steps of \
        \(decimal(step, 3)) s), \(costs[0].bytes >> 20) MiB
        """
    }
    return JSON.object([
      ("bench", .text("save")), ("beside", .boolean(isBeside)), ("lost_seconds", .decimal(blocked + slowed, digits: 4)),
      ("blocked_seconds", .decimal(blocked, digits: 4)), ("slowed_seconds", .decimal(slowed, digits: 4)),
      ("step_seconds", .decimal(step, digits: 4)), ("bytes", .integer(costs[0].bytes)),
    ]).text()
  }

  /// A model that is trained on made-up pictures.
  private final class Training {
    let model: DetectorModel
    private let taken: TrainingStep
    private let pictures: RandomPictures
    private var iteration = 0
    private var savers: [Bool: CheckpointSaver] = [:]

    init(_ configuration: RunConfiguration, _ world: World, size: ImageSize, batch: Int) throws {
      let threads = try ThreadBudget(
        explicit: configuration.mpi.threadsPerRank, environment: ProcessInfo.processInfo.environment, world: world
      ).threads
      model = DetectorModel(configuration.model, seed: 0, threads: threads)
      taken = try TrainingStep(model: model, world: world, configuration: configuration, order: CollectiveOrder())
      pictures = RandomPictures(size: size, batch: batch, classes: configuration.model.numClasses ?? 1, rank: 0)
    }

    /// - Returns: its seconds.
    func step() throws -> Double {
      let input = pictures.input(iteration: iteration, on: model.engine)
      let start = ContinuousClock.now
      _ = try taken.run(on: input, seed: 0, epoch: 0, iteration: iteration, learningRate: 1e-4)
      iteration += 1
      return start.duration(to: .now).seconds
    }

    /// The one of all rounds, as in a training: its copy is made once.
    func saver(isBeside: Bool) -> CheckpointSaver {
      let saver = savers[isBeside] ?? CheckpointSaver(of: model.store, isBeside: isBeside)
      savers[isBeside] = saver
      return saver
    }

    var header: Checkpoint {
      Checkpoint(
        created: Checkpoint.today(), producer: "rcnn-bench \(Version.text)", epoch: 0, iteration: iteration,
        worldSize: 1, globalBatch: pictures.batch, seed: 0, configuration: "", classes: [], categoryIDs: [], model: [])
    }
  }
}
