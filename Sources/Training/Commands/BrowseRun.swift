import COCO
import Foundation
import MPI
import Primitives

/// `rcnn-train browse`.
public enum BrowseRun {
  /// Writes a page with pictures after the pipeline, and ends the process with the exit code of `sysexits.h`.
  public static func start(_ options: BrowseOptions) -> Never {
    Boundary.run(singleRank: true) { world in
      try browse(options, world)
      return 0
    }
  }

  private static func browse(_ options: BrowseOptions, _ world: World) throws {
    let read = try options.config.read()
    let out = try place(options, read.run)
    let section = try section(options, read.run)
    let dataset = try dataset(options.part, section, read.run, world)
    let seed = options.seed ?? UInt64(read.run.seed)
    let scalesDecode =
      read.run.mpi.scaledDecode == .always || options.part == .train && read.run.mpi.scaledDecode == .train
    let pipeline = try Pipeline(section.pipeline, scalesDecode: scalesDecode)
    let globalBatch = read.run.globalBatch(ranks: 1)
    let plans = plans(options, dataset, pipeline, seed: seed, globalBatch: globalBatch, shuffles: read.run.mpi.shuffle)
    var sheet = ContactSheet(
      read, name: name(of: options.config), part: options.part, section, dataset, epoch: options.epoch, seed: seed,
      globalBatch: globalBatch, plans: plans)
    let prefetcher = Prefetcher(dataset, pipeline, plans: plans, workers: max(1, read.run.data.workersPerGPU))
    defer { prefetcher.stop() }
    for plan in plans {
      do {
        guard let batch = try prefetcher.next() else { bug("there are fewer batches than plans") }
        try sheet.add(.picture(batch), of: plan)
      } catch let error as COCOError {
        print("\(error)")
        try sheet.add(.bad(error), of: plan)
      }
    }
    try OutputFolder.write(sheet.page.text, to: out, option: "--out")
    let bad = sheet.badCount > 0 ? ", \(sheet.badCount) of which can't be used," : ""
    print("\(count(plans.count, "picture")) of data.\(options.part.rawValue)\(bad) are in \(out)")
  }

  private static func name(of config: ConfigSource) -> String {
    config.path.map { ReadConfiguration.stem(of: $0) } ?? "quickstart"
  }

  /// Where the page goes: into the work directory where there is one already.
  private static func place(_ options: BrowseOptions, _ run: RunConfiguration) throws -> String {
    let name = "browse.html"
    let path = options.out ?? (Folder.exists(run.workDir) ? Folder.join(run.workDir, name) : name)
    try OutputFolder.requireWritable(path, option: "--out")
    return path
  }

  private static func section(_ options: BrowseOptions, _ run: RunConfiguration) throws -> DatasetConfiguration {
    let section: DatasetConfiguration? =
      switch options.part {
      case .train: run.data.train
      case .val: run.data.val
      case .test: run.data.test
      }
    guard let section else {
      throw RunError(
        "\(options.config.path ?? "quickstart"): error: 'data.\(options.part.rawValue)' is missing; take another --data",
        exitCode: .configuration)
    }
    return section
  }

  /// As a training or a test reads it.
  private static func dataset(
    _ part: DataPart, _ section: DatasetConfiguration, _ run: RunConfiguration, _ world: World
  ) throws -> CocoDataset {
    var section = section
    // As in a training, which measures by its own classes.
    if part != .train, section.classes == nil { section.classes = run.data.train.classes }
    let file = try SharedAnnotations.load(section, in: world)
    let dataset = try CocoDataset(file, configuration: section, training: part == .train)
    try dataset.checkClasses(fit: run.model)
    return dataset
  }

  /// Of each picture by itself, in the size of its batch: one that can't be used takes no other with it.
  private static func plans(
    _ options: BrowseOptions, _ dataset: CocoDataset, _ pipeline: Pipeline, seed: UInt64, globalBatch: Int,
    shuffles: Bool
  ) -> [BatchPlan] {
    guard options.part == .train else {
      let count = dataset.images.count
      let number = min(options.number, count)
      let chosen = (0..<number).map { $0 * count / number }
      return dataset.evaluationPlans(of: chosen, batch: 1, pipeline)
    }
    let order = TrainingPlans.Options(
      seed: seed, globalBatch: globalBatch, shuffles: shuffles, epochs: options.epoch)
    var plans: [BatchPlan] = []
    for plan in TrainingPlans(dataset, pipeline, options: order, epoch: options.epoch - 1) {
      plans += plan.single
      if plans.count >= options.number { break }
    }
    return Array(plans.prefix(options.number))
  }
}

extension BatchPlan {
  /// A plan for each of its images, in which nothing else about it changes.
  var single: [BatchPlan] {
    indices.indices.map { place in
      BatchPlan(
        key: key, iteration: iteration, indices: [indices[place]], draws: [draws[place]], position: position + place,
        size: size)
    }
  }
}
