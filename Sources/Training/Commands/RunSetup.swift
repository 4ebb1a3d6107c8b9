import COCO
import Distributed
import Foundation
import Logging
import MPI

/// What a run is: its configuration, its ranks, and where it writes.
struct RunSetup {
  let world: World
  let read: ReadConfiguration
  let workDir: String
  /// On rank 0 of a run that writes.
  let directory: WorkDirectory?
  let seed: UInt64
  /// Threads of this rank.
  let threads: Int
  let logger: Logger
  let sink: LogSink
  /// Until the first step is done, on rank 0.
  let stages: Stages?
  /// Makes this rank's faults (`mpi.inject`).
  let injector: Injector?
  /// Where this rank notes what it is at, for the watchdog.
  let progress: RankProgress

  var configuration: RunConfiguration { read.run }
  /// Images a step over all ranks.
  var globalBatch: Int { configuration.globalBatch(ranks: world.size) }
  /// Images a step of this rank.
  var images: Int { EpochOrder.share(ofRank: world.rank, of: world.size, batch: globalBatch).count }

  /// `optimizer.lr`, scaled by the global batch where `auto_scale_lr` is on.
  var scaledLearningRate: Double {
    let scaling = configuration.autoScaleLR
    let factor = scaling.enable ? Double(globalBatch) / Double(scaling.baseBatchSize) : 1
    return configuration.optimizer.lr * factor
  }
}

extension ConfigSource {
  /// - Throws: `ConfigurationError`.
  func read() throws -> ReadConfiguration {
    guard let path else { return try QuickstartConfiguration.read(options: changes) }
    return try ReadConfiguration(file: path, options: changes)
  }
}

extension RunConfiguration {
  /// The threads of this rank. Collective.
  func threadBudget(in world: World) throws -> ThreadBudget {
    try ThreadBudget(
      explicit: mpi.threadsPerRank, environment: ProcessInfo.processInfo.environment, world: world)
  }

  /// `data.test`, or `data.val` where it is absent: what `test` and `predict` follow.
  func testSection(of source: ConfigSource) throws -> DatasetConfiguration {
    guard let section = data.test ?? data.val else {
      throw RunError("\(source.path ?? "quickstart"): error: 'data.test' is missing", exitCode: .configuration)
    }
    return section
  }
}
