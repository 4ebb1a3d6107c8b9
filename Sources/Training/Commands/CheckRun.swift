import COCO
import Foundation
import MPI
import Primitives

/// `rcnn-train check`.
public enum CheckRun {
  /// Prints what the data sets of a configuration hold, and ends the process with the exit code of `sysexits.h`, which is
  /// that of a training on the same data.
  public static func start(_ options: CheckOptions) -> Never {
    Boundary.run(singleRank: true) { world in
      var report = CheckReport(options)
      var failure: (any Error)?
      do { try check(options, world, &report) } catch { failure = error }
      print(options.printsJSON ? report.json(error: failure).lines() : report.text, terminator: "")
      if let failure { throw failure }
      return 0
    }
  }

  private static func check(_ options: CheckOptions, _ world: World, _ report: inout CheckReport) throws {
    let read = try options.config.read()
    report.read = read
    let (readable, failure) = try readDatasets(read.run)
    let parts = RunDataset.all(readable.map { ($0.name, $0.dataset) })
    report.datasets = zip(parts, readable).map { CheckedDataset($0, $1.section) }
    if let failure { throw failure }
    if let path = options.checkpoint, let train = parts.first {
      report.changes = try CheckpointChanges(reading: path, read, train.dataset)
    }
    let check = read.run.mpi.checkPictures ?? .headers
    let pictures = try PictureLookup(world: world, check: check).lookUp(parts.map(\.dataset))
    for (index, pictures) in pictures.enumerated() { report.datasets[index].part.add(pictures) }
    report.pictures = check
  }

  private struct Part {
    let name: String
    let section: DatasetConfiguration
    let dataset: CocoDataset
  }

  /// All of them that can be used, and why others can't.
  private static func readDatasets(_ run: RunConfiguration) throws -> (parts: [Part], failure: (any Error)?) {
    var parts: [Part] = []
    var failures: [COCOError] = []
    for (name, section) in [("train", run.data.train), ("val", run.data.val), ("test", run.data.test)] {
      guard var section else { continue }
      // As in a training, which measures by its own classes.
      if name == "val", section.classes == nil {
        section.classes = parts.first?.dataset.classes ?? run.data.train.classes
      }
      do {
        let file = try section.readAnnotations()
        let dataset = try CocoDataset(
          file, configuration: section, training: name == "train",
          proposals: section.proposals.map { try ProposalFile.read($0, for: file) })
        try dataset.checkClasses(fit: run.model)
        if name == "val", run.evaluation != nil { try dataset.checkGroundTruth() }
        _ = try Pipeline(section.pipeline)
        parts.append(Part(name: name, section: section, dataset: dataset))
      } catch let error as COCOError {
        // What is wrong with the configuration is the same for all data sets.
        let isSaid = failures.contains {
          $0.message == error.message && ($0 == error || error.exitCode == .configuration)
        }
        if !isSaid { failures.append(error) }
      }
    }
    guard let first = failures.first else { return (parts, nil) }
    guard failures.count > 1 else { return (parts, first) }
    let text = failures.map(\.description).joined(separator: "\n")
    return (parts, RunError(text, exitCode: first.exitCode))
  }
}
