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
    discussion: """
      Without --config: faster_rcnn_r50_fpn_1x_coco, from random weights. One step warms up.

      With --peer 'COMMAND' a round is a run of ours and a run of that shell command, which prints a line of JSON with \
      images_per_second and perhaps peak_rss_mib.
      """)

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

  @Option(help: "How gradients are summed: fast or exact (mpi.reduction; default: as configured).")
  var reduction: Reduction?

  @Flag(help: "Print one line of JSON.")
  var json = false

  @Option(help: ArgumentHelp("Run this program in turn with ours and print the ratio.", valueName: "COMMAND"))
  var peer: String?

  @Option(help: "Rounds of a comparison with --peer.")
  var rounds = 5

  @Option(help: "The ranks that --peer starts ours with, by mpirun.")
  var ranks = 1

  func validate() throws {
    guard min(batch, steps, rounds, ranks) > 0, threads ?? 1 > 0 else {
      throw ValidationError("--batch, --steps, --threads, --rounds and --ranks are numbers from 1 on")
    }
    guard peer != nil || ranks == 1 else {
      throw ValidationError("--ranks belongs to --peer; else start rcnn-bench under mpirun")
    }
  }

  func run() {
    guard let peer else { measure() }
    Boundary.run(singleRank: true, signals: .system) { _ in
      try compare(with: peer)
      return 0
    }
  }

  private func compare(with peer: String) throws {
    var arguments = ["step", "--size", size.defaultValueDescription, "--batch", "\(batch)", "--steps", "\(steps)"]
    if let threads { arguments += ["--threads", "\(threads)"] }
    if let config { arguments += ["--config", config] }
    if let reduction { arguments += ["--reduction", reduction.rawValue] }
    let comparison = PeerComparison(
      arguments: arguments + ["--json"], ranks: ranks, threads: threads, command: peer)
    var results: [(ours: PeerComparison.Report, peer: PeerComparison.Report)] = []
    for number in 1...rounds {
      let round = try comparison.round()
      results.append(round)
      if !json { print(PeerResult.line(number, round)) }
    }
    let result = PeerResult(rounds: results)
    print(json ? result.json : result.summary)
  }

  private func measure() -> Never {
    Boundary.run(singleRank: false, signals: .system) { world in
      let options = reduction.map { ["mpi.reduction=\($0.rawValue)"] } ?? []
      var configuration = try config.map { try ReadConfiguration(file: $0, options: options).run } ?? .benchmark
      configuration.mpi.reduction = reduction ?? configuration.mpi.reduction
      let budget = try ThreadBudget(
        explicit: threads ?? configuration.mpi.threadsPerRank, environment: ProcessInfo.processInfo.environment,
        world: world)
      if world.rank == 0, let notice = budget.notice { FileHandle.standardError.write(Data("\(notice)\n".utf8)) }
      let timing = try time(configuration, world, threads: budget.threads)
      let result = StepResult(
        size: size.pixels, batch: batch, timing: timing, peakRSSMiB: try largestPeakRSS(world),
        reduction: configuration.mpi.reduction, ranks: world.size,
        threads: budget.threads)
      if world.rank == 0 { print(json ? result.json : result.table) }
      return 0
    }
  }

  /// On this rank; the matrix product's rate is that of all ranks at the same time.
  private func time(_ configuration: RunConfiguration, _ world: World, threads: Int) throws -> StepTiming {
    let order = CollectiveOrder()
    let statistics = world.size > 1 ? try SynchronizedStatistics(world: world, order: order) : nil
    let model = DetectorModel(configuration.model, seed: 0, threads: threads, synchronizer: statistics)
    let step = try TrainingStep(model: model, world: world, configuration: configuration, order: order)
    let pictures = RandomPictures(
      size: size.pixels, batch: batch, classes: configuration.model.numClasses ?? 1, rank: world.rank)
    try world.barrier()
    var rate = [MatrixProduct(threads: threads).rate(model.engine.workers)]
    try world.sum(&rate)
    var timing = StepTiming(matrixProductRate: rate[0])
    for iteration in 0...steps {
      let input = pictures.input(iteration: iteration, on: model.engine)
      try world.barrier()
      let start = ContinuousClock.now
      let outcome = try step.run(on: input, seed: 0, epoch: 0, iteration: iteration, learningRate: 1e-3)
      let seconds = start.duration(to: .now).seconds
      guard outcome.defect == nil else {
        throw RunError(
          "the loss or a gradient is not finite at step \(iteration); use another --config", exitCode: .badData)
      }
      guard iteration > 0 else { continue }
      timing.seconds.append(seconds)
      timing.forward.append(step.forwardSeconds)
      timing.backward.append(step.backwardSeconds)
      if let sync = outcome.sync { timing.sync.append(sync) }
    }
    return timing
  }
}

extension Reduction: ExpressibleByArgument {}
