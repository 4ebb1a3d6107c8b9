import COCO
import Distributed
import MPI
import Training

/// Trains two steps with the library: `two-steps CONFIG [KEY=VALUE ...]`.
@main struct TwoSteps {
  static func main() throws {
    guard CommandLine.arguments.count > 1 else { return print("usage: two-steps CONFIG [KEY=VALUE ...]") }
    let read = try ReadConfiguration(
      file: CommandLine.arguments[1], options: Array(CommandLine.arguments.dropFirst(2)))
    let (configuration, section) = (read.run, read.run.data.train)

    // The images, and this rank's share of the batches of an epoch, read on a thread of their own.
    let world = try World.start(singleRank: true, environment: [:])
    let dataset = try CocoDataset(section.readAnnotations(), configuration: section, training: true)
    let pipeline = try Pipeline(section.pipeline)
    let batch = configuration.data.samplesPerGPU ?? 1
    let plans = TrainingPlans(dataset, pipeline, options: .init(seed: 0, globalBatch: batch, epochs: 1))
    let batches = Prefetcher(dataset, pipeline, plans: plans, workers: 1)
    defer { batches.stop() }

    // The detector with its parameters, and what a step is.
    let model = DetectorModel(configuration.model, seed: 0, threads: 1)
    let step = try TrainingStep(model: model, world: world, configuration: configuration, order: CollectiveOrder())
    for iteration in 0..<2 {
      guard let batch = try batches.next() else { break }
      let outcome = try step.run(
        on: batch.input(on: model.engine), seed: 0, epoch: 0, iteration: iteration, learningRate: 0.01)
      print(outcome.losses.named.map { "\($0.name) \($0.value)" }.joined(separator: ", "))
    }
  }
}
