import ArgumentParser
import Detection
import Distributed
import Foundation
import MPI
import Training

/// `rcnn-bench step`: how fast a model trains. The step is the trainer's own; only the pictures are made up.
struct StepBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "Times training steps on random pictures, alone or under mpirun.",
    discussion: "Without --config: faster_rcnn_r50_fpn_1x_coco, from random weights. One step warms up.")

  @Option(help: ArgumentHelp("The size of the network's input.", valueName: "HEIGHTxWIDTH"))
  var size = Size(argument: "320x320")!

  @Option(help: "Images a rank.")
  var batch = 1

  @Option(help: "Timed steps.")
  var steps = 5

  @Option(help: "Threads a rank (default: as rcnn-train).")
  var threads: Int?

  @Option(help: ArgumentHelp("Take the model and the optimizer of this configuration.", valueName: "CONFIG"))
  var config: String?

  @Flag(help: "Print one line of JSON.")
  var json = false

  func validate() throws {
    guard batch > 0, steps > 0, threads ?? 1 > 0 else {
      throw ValidationError("--batch, --steps and --threads are numbers from 1 on")
    }
  }

  func run() throws {
    Boundary.run(singleRank: false) { world in
      let configuration = try config.map { try ReadConfiguration(file: $0).run } ?? .benchmark
      let budget = try ThreadBudget(
        explicit: threads ?? configuration.mpi.threadsPerRank, environment: ProcessInfo.processInfo.environment,
        world: world)
      let seconds = try time(configuration, world, threads: budget.threads)
      let result = StepResult(
        size: size.pixels, batch: batch, seconds: seconds, peakRSSMiB: try largestPeakRSS(world), ranks: world.size,
        threads: budget.threads)
      if world.rank == 0 { try print(json ? result.json : result.table) }
      return 0
    }
  }

  /// The seconds of each step, on this rank.
  private func time(_ configuration: RunConfiguration, _ world: World, threads: Int) throws -> [Double] {
    let order = CollectiveOrder()
    let statistics = world.size > 1 ? try SynchronizedStatistics(world: world, order: order) : nil
    let model = DetectorModel(configuration.model, seed: 0, threads: threads, synchronizer: statistics)
    let step = try TrainingStep(model: model, world: world, configuration: configuration, order: order)
    let pictures = RandomPictures(
      size: size.pixels, batch: batch, classes: configuration.model.roiHead.bboxHead.numClasses, rank: world.rank)
    var seconds: [Double] = []
    for iteration in 0...steps {
      let input = pictures.input(iteration: iteration, on: model.engine)
      try world.barrier()
      let start = ContinuousClock.now
      let outcome = try step.run(on: input, seed: 0, epoch: 0, iteration: iteration, learningRate: 1e-3)
      seconds.append(start.duration(to: .now).seconds)
      guard outcome.losses.isFinite else {
        throw RunError("the loss is not finite at step \(iteration); use another --config", exitCode: .badData)
      }
    }
    return Array(seconds.dropFirst())
  }
}
