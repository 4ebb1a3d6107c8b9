import Distributed
import Foundation
import Layers
import Primitives
import Tensors

/// What `--dry-run` prints: what a run would be.
struct DryRun {
  let run: RunSetup
  let data: TrainingData
  let plan: RunPlan
  let datasets: [RunDataset]
  private let model: DetectorModel

  init(run: RunSetup, data: TrainingData, plan: RunPlan, datasets: [RunDataset]) {
    (self.run, self.data, self.plan, self.datasets) = (run, data, plan, datasets)
    model = DetectorModel(run.configuration.model, seed: 0, threads: 1)
    model.store.keep(run.configuration.parameterStates)
  }

  /// Tries the weights that a run would start from, too.
  /// - Throws: what a run would, where they don't fit.
  func print(_ start: StartingPoint) throws {
    try InjectionError.check(run.configuration.mpi.inject, ranks: run.world.size, store: model.store)
    try start.load(into: model, classes: data.dataset.classes, run)
    let schedule = LearningRateSchedule(
      configuration: run.configuration.learningRate, baseRate: run.scaledLearningRate,
      iterationsPerEpoch: data.iterationsPerEpoch, maxEpochs: plan.maxEpochs, maxIterations: plan.maxIterations)
    func rate(_ iteration: Int) -> String {
      scientific(schedule.rate(epoch: iteration / data.iterationsPerEpoch, iteration: iteration))
    }
    let last = plan.maxIterations - 1
    Swift.print("work directory: \(run.workDir)")
    for part in datasets {
      Swift.print("\(part.name): \(part.dataset.summary)")
      for finding in part.findings { Swift.print("\(part.name): \(finding.level.rawValue): \(finding.text)") }
    }
    Swift.print("classes: \(data.dataset.classes.joined(separator: ", "))")
    Swift.print(
      "ranks: \(run.world.size), threads a rank: \(run.threads), images a rank: \(imagesARank), global batch: \(run.globalBatch)"
    )
    Swift.print(
      "schedule: \(plan.maxEpochs) epochs of \(data.iterationsPerEpoch) iterations, \(plan.maxIterations) in all")
    Swift.print("counted in \(countedUnits)")
    Swift.print("learning rate: \(rate(0)) at first, \(rate(last / 2)) half-way, \(rate(last)) at the end")
    Swift.print(
      "memory: about \(estimatedMemoryMiB) MiB a rank for parameters, gradients and what the optimizer keeps, and the "
        + "maps on top")
    Swift.print(saving)
    for batch in 0..<min(3, data.iterationsPerEpoch) {
      let ids = data.globalImageIDs(at: Position(epoch: 0, images: batch * data.globalBatch, iteration: batch))
      let names = ids.map { data.dataset.identifier(ofImage: $0).description }
      Swift.print("batch \(batch + 1): images \(FirstFew.counted(names, most: 32))")
    }
  }

  /// What the numbers of `lr_config`, `checkpoint_config` and `evaluation` are.
  private var countedUnits: String {
    let configuration = run.configuration
    let parts = [
      ("lr_config", configuration.learningRate.byEpoch), ("checkpoint_config", configuration.checkpoint?.byEpoch),
      ("evaluation", configuration.evaluation?.byEpoch),
    ]
    func names(_ countsEpochs: Bool) -> String? {
      let names = parts.filter { $0.1 == countsEpochs }.map(\.0)
      return names.isEmpty ? nil : "\(countsEpochs ? "epochs" : "iterations"): \(names.joined(separator: ", "))"
    }
    return [names(true), names(false)].compactMap { $0 }.joined(separator: "; ")
  }

  /// How large checkpoints are, and how they are written.
  private var saving: String {
    let bytes = ParameterCopy.byteCount(of: model.store)
    let way = AsyncSaving(run.configuration.mpi.asyncSave, of: model.store).words
    return "checkpoints: \((bytes + 1 << 20 - 1) >> 20) MiB each, written \(way)"
  }

  /// Of the first rank, and of the last where it has fewer.
  private var imagesARank: String {
    let (first, fewest) = (run.images, run.globalBatch / run.world.size)
    return first == fewest ? "\(first)" : "\(first) or \(fewest)"
  }

  private var estimatedMemoryMiB: Int {
    let exactSums = run.configuration.mpi.reduction == .exact ? 2 * model.store.trainableCount : 0
    let states = model.store.states.count
    return (model.store.count + (1 + states) * model.store.trainableCount + exactSums) * 4 / 1_048_576
  }
}
