import COCO
import Distributed
import Kernels
import Logging
import MPI
import Primitives

/// Looks whether all ranks are of one job, before any of them waits for the others in something that not all of them do.
struct JobChecks {
  let world: World

  /// The program, what it was asked for, and the configuration. To be called before everything else that ranks do
  /// together. Collective.
  /// - Parameter arguments: of the command line, besides the configuration.
  /// - Throws: `RunError`.
  func program(_ command: String, _ arguments: [JobFact], _ read: ReadConfiguration) throws {
    let facts = [JobFact("version", Version.text), JobFact("command", command)] + arguments
    let configuration = read.leaves.filter { !Self.ofARank.contains($0.key) }.map { JobFact($0.key, $0.value) }
    try expectNone(OneJob.difference(facts + configuration, in: world), .configuration)
  }

  /// What ranks may well have of their own: how fast they are and where they find things, nothing of the result.
  private static let ofARank: Set = ["mpi.threads_per_rank", "mpi.weights_dir", "data.workers_per_gpu"]

  /// What is in the annotation files, as this rank sees it. Collective.
  /// - Throws: `RunError`.
  func data(_ datasets: [CocoDataset]) throws {
    // The digest of a large file takes its time.
    guard world.size > 1 else { return }
    let facts = datasets.flatMap { dataset in
      [
        JobFact("the content of \(dataset.summary.path)", dataset.contentSummary),
        JobFact("the classes of \(dataset.summary.path)", dataset.classes.joined(separator: ", ")),
      ]
    }
    try expectNone(OneJob.difference(facts, in: world), .badData)
  }

  /// What is trained. Collective.
  /// - Throws: `RunError`.
  func model(_ model: DetectorModel, seed: UInt64) throws {
    let arrays = model.store.parameters.map { "\($0.name) \($0.shape) \($0.isTrainable)" }
    let digest = FNV1a.hash(of: arrays.joined(separator: "\n").utf8)
    let terms = model.detector.terms.terms.map(\.name).joined(separator: ", ")
    let facts = [
      JobFact("the seed", "\(seed)"), JobFact("the loss terms", terms),
      JobFact("the model's arrays", "\(arrays.count) with the digest \(String(digest, radix: 16))"),
    ]
    try expectNone(OneJob.difference(facts, in: world), .configuration)
  }

  /// The processors: replicas stay equal where they differ, since all add the same sums, but another machine computes other
  /// last bits. Collective.
  /// - Returns: what the user should be told.
  /// - Throws: `RunError` where the result must not depend on it.
  func processors(mustBeEqual: Bool) throws -> String? {
    let facts = [
      JobFact("the instruction set that the program was built for", Machine.kernelArchitecture),
      JobFact("the processor that OpenBLAS computes for", MatrixMultiply.processorName),
    ]
    guard let difference = try OneJob.difference(facts, in: world) else { return nil }
    guard !mustBeEqual else {
      throw RunError(
        "the ranks can't give the same bits as any other number of them: \(difference.sentence); use machines of one kind, "
          + "or set OPENBLAS_CORETYPE and RCNN_MARCH for the least of them", exitCode: .configuration)
    }
    return "\(difference.sentence): the last bits of what each computes differ, the replicas stay equal"
  }

  private func expectNone(_ difference: JobDifference?, _ code: ExitCode) throws {
    guard let difference else { return }
    let remedy =
      code == .badData
      ? "copy one file to all machines" : "start all ranks with the same program, options and configuration"
    throw RunError("the ranks are not of one job: \(difference.sentence); \(remedy)", exitCode: code)
  }
}

extension TrainOptions {
  /// What the command line says besides the configuration.
  var facts: [JobFact] {
    [
      JobFact("--work-dir", workDir ?? ""), JobFact("--resume", resume ?? ""), JobFact("--load-from", loadFrom ?? ""),
      JobFact("--seed", seed.map { "\($0)" } ?? ""), JobFact("--no-validate", "\(!validates)"),
      JobFact("--dry-run", "\(isDryRun)"),
    ]
  }
}
