import ArgumentParser
import COCO
import Foundation
import MPI
import Primitives
import Training

/// `rcnn-bench loader`: how fast pictures become batches, by the training's own data set, pipeline and prefetcher.
struct LoaderBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "loader",
    abstract: "Times the loading of pictures, stage by stage and through the prefetcher.",
    discussion: """
      With --steps: training steps on what the loader gives, in turn with steps on one batch over and over, alone or \
      under mpirun; the ratio is what the loader costs a training.

      Without --data: JPEGs of 640 x 480 of about 155 kB, made in a temporary folder. The pipeline is \
      faster_rcnn_r50_fpn_1x_coco's with --size in img_scale.
      """)

  @Option(help: ArgumentHelp("Where Resize fits pictures into.", valueName: "HEIGHTxWIDTH"))
  var size = Size(argument: "800x1333")!

  @Option(help: "Images to load.")
  var images = 200

  @Option(help: "Threads that load.")
  var threads = 1

  @Option(help: ArgumentHelp("The images of this annotation file.", valueName: "ANN"))
  var data: String?

  @Option(help: ArgumentHelp("The folder that its file names start from.", valueName: "DIR"))
  var imagesDir: String?

  @Flag(help: "Decode at full size only, as with mpi.scaled_decode: never.")
  var fullDecode = false

  @Option(help: "Compare so many training steps of each kind in a round.")
  var steps: Int?

  @Option(help: "Images a rank, with --steps.")
  var batch = 1

  @Option(help: "Rounds of a comparison with --steps.")
  var rounds = 5

  @Option(help: "Threads a rank that compute, with --steps (default: as rcnn-train).")
  var stepThreads: Int?

  @Flag(help: "Print one line of JSON.")
  var json = false

  func validate() throws {
    guard min(steps ?? 1, batch, rounds, stepThreads ?? 1) > 0 else {
      throw ValidationError("--steps, --batch, --rounds and --step-threads are numbers from 1 on")
    }
    guard images > 0, threads > 0 else { throw ValidationError("--images and --threads are numbers from 1 on") }
    guard (data == nil) == (imagesDir == nil) else {
      throw ValidationError("--data and --images-dir are given together or not at all")
    }
  }

  func run() throws {
    if let steps { compare(steps) }
    Boundary.run(singleRank: true) { _ in
      let synthetic = data == nil ? try SyntheticPictures(count: min(images, 32)) : nil
      defer { synthetic?.remove() }
      let dataset = try openDataset(synthetic)
      let pipeline = try pipeline()
      let seconds = try loadAhead(dataset, pipeline)
      let peak = Machine.peakMemoryMiB
      let stages = try LoaderStages(dataset, pipeline, plans: plans(dataset, pipeline))
      let result = LoaderResult(
        size: size.pixels, images: images, threads: threads, seconds: seconds, stages: stages, peakRSSMiB: peak)
      print(json ? result.json : result.table)
      return 0
    }
  }

  private func compare(_ steps: Int) -> Never {
    Boundary.run(singleRank: false, signals: .system) { world in
      // Each rank has its own pictures, all of the same content.
      let synthetic = data == nil ? try SyntheticPictures(count: min(images, 32)) : nil
      defer { synthetic?.remove() }
      let (dataset, pipeline) = (try openDataset(synthetic), try pipeline())
      let budget = try ThreadBudget(
        explicit: stepThreads, environment: ProcessInfo.processInfo.environment, world: world)
      let sides = try LoaderSteps(dataset, pipeline, threads: budget.threads, world: world)
      let options = TrainingPlans.Options(
        seed: 0, globalBatch: batch * world.size, rank: world.rank, ranks: world.size, epochs: .max)
      var results: [LoaderSteps.Round] = []
      for number in 1...rounds {
        let plans = TrainingPlans(dataset, pipeline, options: options)
        results.append(try sides.round(plans, loaderThreads: threads, steps: steps))
        if !json, world.rank == 0 { print(LoaderStepsResult.line(number, results[number - 1])) }
      }
      let result = LoaderStepsResult(
        size: size.pixels, batch: batch, ranks: world.size, threads: budget.threads, loaderThreads: threads,
        rounds: results)
      if world.rank == 0 { print(json ? result.json : result.summary) }
      return 0
    }
  }

  private func openDataset(_ synthetic: SyntheticPictures?) throws -> CocoDataset {
    var configuration = DatasetConfiguration()
    configuration.annFile = data ?? synthetic?.annotationFile ?? ""
    configuration.imgPrefix = imagesDir ?? synthetic?.folder ?? ""
    return try CocoDataset(
      AnnotationFile(reading: configuration.annFile), configuration: configuration, training: true)
  }

  private func pipeline() throws -> Pipeline {
    let scale = ImageScale(width: size.pixels.width, height: size.pixels.height)
    return try Pipeline(
      [
        .resize(scales: [scale], mode: .value, keepRatio: true, clipsBoxes: true),
        .randomFlip(ratio: 0.5, direction: .horizontal),
        .normalize(mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375], toRGB: true),
        .pad(sizeDivisor: 32),
      ], scalesDecode: !fullDecode)
  }

  /// Batches of one image.
  private func plans(_ dataset: CocoDataset, _ pipeline: Pipeline) -> [BatchPlan] {
    let options = TrainingPlans.Options(seed: 0, globalBatch: 1, epochs: .max)
    return Array(TrainingPlans(dataset, pipeline, options: options).prefix(images))
  }

  /// The seconds for all images from files to floats, through the prefetcher.
  private func loadAhead(_ dataset: CocoDataset, _ pipeline: Pipeline) throws -> Double {
    let plans = plans(dataset, pipeline)
    var floats: [Float] = []
    let start = ContinuousClock.now
    let prefetcher = Prefetcher(dataset, pipeline, plans: plans, workers: threads)
    while let batch = try prefetcher.next() { batch.fill(&floats) }
    return start.duration(to: .now).seconds
  }
}
