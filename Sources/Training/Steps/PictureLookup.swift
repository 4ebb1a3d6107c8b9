import COCO
import Distributed
import Foundation
import MPI

/// Looks all pictures of a run up before anything is done with them: each rank its share.
package struct PictureLookup {
  private let world: World
  private let check: PictureCheck
  /// Called every thousand pictures.
  private let progress: () -> Void

  package init(world: World, check: PictureCheck, progress: @escaping () -> Void = {}) {
    (self.world, self.check, self.progress) = (world, check, progress)
  }

  /// Collective: a gather and a message for each data set.
  /// - Returns: on rank 0 what was found in each data set; nothing elsewhere, or where nothing is to be looked at.
  /// - Throws: on all ranks, as a `CommonError`, what is wrong in any of the data sets; `MPIError`.
  @discardableResult
  package func lookUp(_ datasets: [CocoDataset]) throws -> [PictureReport] {
    guard check != .none else { return [] }
    var failures: [COCOError] = []
    var reports: [PictureReport] = []
    for dataset in datasets {
      let report = try report(on: dataset)
      // Training and validation of one file would say the same twice.
      if let failure = try world.shared(dataset.error(of: report)), !failures.contains(failure) {
        failures.append(failure)
      }
      if world.rank == 0 { reports.append(report) }
    }
    guard let first = failures.first else { return reports }
    guard failures.count > 1 else { throw CommonError(underlying: first) }
    let code = failures.first { $0.kind == .inputMissing } ?? first
    throw RunError(failures.map(\.description).joined(separator: "\n"), exitCode: code.exitCode)
  }

  /// Of all ranks, on rank 0.
  private func report(on dataset: CocoDataset) throws -> PictureReport {
    let count = dataset.images.distinct.count
    let mine = count * world.rank / world.size..<count * (world.rank + 1) / world.size
    let part = Part(
      host: world.size > 1 ? ProcessInfo.processInfo.hostName : "",
      report: dataset.lookUp(mine, check, progress: progress))
    let parts = try world.gathered(part)
    return PictureReport(parts.map(\.report), hosts: parts.map(\.host))
  }

  /// What a rank tells rank 0.
  private struct Part: Codable {
    let host: String
    let report: PictureReport
  }
}
