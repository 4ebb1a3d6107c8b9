import Foundation
import HDF5
import Kernels
import MPI
import Primitives

/// `rcnn-train doctor`.
public enum DoctorRun {
  /// Looks at every host of the world, says what it found with remedies, and ends the process with 0.
  /// - Parameters:
  ///   - workDir: where checkpoints are to go.
  ///   - asJSON: whether one document is printed in the place of text.
  ///   - isSingleRank: whether MPI is left alone.
  public static func start(workDir: String, asJSON: Bool, isSingleRank: Bool) -> Never {
    Boundary.run(singleRank: isSingleRank) { world in
      guard let reports = try reports(workDir: workDir, world) else { return 0 }
      let comparison = Comparison(reports)
      print(asJSON ? json(comparison).lines() : text(comparison, reports, ranks: world.size), terminator: "")
      return 0
    }
  }

  /// One a host, on rank 0; nil elsewhere. Collective.
  private static func reports(workDir: String, _ world: World) throws -> [HostReport]? {
    let cores = try world.coreShare()
    var hosts = [world.localRank == 0 ? UInt64(1) : 0]
    try world.sum(&hosts)
    try world.barrier()
    let clock = Date().timeIntervalSince1970
    var mine: HostReport?
    if world.localRank == 0 {
      let group = ControlGroup.ofThisProcess
      let findings =
        CoreFindings.all(cores, group: group, environment: ProcessInfo.processInfo.environment)
        + MemoryFindings.all(localSize: world.localSize, group: group)
        + TransportFindings.all(localSize: world.localSize, hosts: Int(hosts[0]))
        + (world.rank == 0 ? FolderFindings.all(workDir) : [])
      mine = HostReport(
        host: ProcessInfo.processInfo.hostName, findings: findings, versions: versions(), clock: clock)
    }
    let reports = try world.gathered(mine).compactMap { $0 }
    return world.rank == 0 ? reports : nil
  }

  private static func versions() -> [HostReport.Version] {
    let install = "install the same on all hosts"
    return [
      HostReport.Version("program", Version.producer, remedy: "copy one build to all hosts"),
      HostReport.Version("MPI", MPILibrary.version, remedy: install),
      HostReport.Version("HDF5", HDF5Library.version, remedy: install),
      HostReport.Version(
        "OpenBLAS", "kernels for \(MatrixMultiply.processorName)",
        remedy: "results differ in their last bits from host to host: OPENBLAS_CORETYPE=Haswell on all of them"),
      HostReport.Version(
        "kernels",
        Machine.kernelArchitecture.isEmpty ? "built as the compiler chose" : "built for \(Machine.kernelArchitecture)",
        remedy: "copy one build to all hosts, made with "
          + "RCNN_MARCH=x86-64-v3"),
    ]
  }

  private static func text(_ comparison: Comparison, _ reports: [HostReport], ranks: Int) -> String {
    var text =
      reports.count == 1
      ? "\(reports[0].host), \(ranks) \(ranks == 1 ? "rank" : "ranks")\n" : "\(reports.count) hosts, \(ranks) ranks\n"
    for line in comparison.lines {
      let finding = line.finding
      let isEverywhere = reports.count == 1 || line.hosts.count == reports.count || finding.level == .good
      let place =
        isEverywhere ? "" : " [\(FirstFew.words(line.hosts, most: 4))]"
      text += "\(padded(finding.level.rawValue, 8)) \(padded(finding.topic, 15)) \(finding.text)\(place)\n"
      if let remedy = finding.remedy { text += "\(padded("", 24)) → \(remedy)\n" }
    }
    return text + "\(comparison.count(.warning)) warnings, \(comparison.count(.notice)) notices\n"
  }

  private static func json(_ comparison: Comparison) -> JSON {
    .array(
      comparison.lines.map { line in
        .object([
          ("topic", .text(line.finding.topic)), ("level", .text(line.finding.level.rawValue)),
          ("text", .text(line.finding.text)), ("remedy", line.finding.remedy.map(JSON.text) ?? .null),
          ("hosts", .array(line.hosts.map(JSON.text))),
        ])
      })
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text.padding(toLength: max(width, text.count), withPad: " ", startingAt: 0)
  }
}
