import Foundation
import Logging

/// The search for the checkpoint that a run goes on from.
enum CheckpointSearch {
  /// The newest checkpoint of a work directory that is whole, and its path. Damaged ones are named and passed over.
  /// - Throws: `RunError` where there are checkpoints and none is whole.
  static func newest(in workDir: String, _ logger: Logger) throws -> (checkpoint: Checkpoint, path: String)? {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: workDir)) ?? []
    let candidates = names.filter { $0.hasSuffix(".h5") && ($0.hasPrefix("epoch_") || $0.hasPrefix("iter_")) }
      .map { "\(workDir)/\($0)" }.sorted { modified($0) > modified($1) }
    for path in candidates {
      if let checkpoint = whole(path, logger) { return (checkpoint, path) }
    }
    guard candidates.isEmpty else {
      throw RunError(
        "\(workDir): error: none of its \(candidates.count) checkpoints can be read; start anew without --resume",
        exitCode: .badData)
    }
    return nil
  }

  /// nil, with a warning, where the file is damaged.
  private static func whole(_ path: String, _ logger: Logger) -> Checkpoint? {
    let result = Result { try Checkpoint(image: CheckpointFile.read(path), name: path) }
    if case .failure(let error) = result { logger.warning("\(error)") }
    return try? result.get()
  }

  private static func modified(_ path: String) -> Double {
    var status = stat()
    guard lstat(path, &status) == 0 else { return 0 }
    return Double(status.st_mtim.tv_sec) + 1e-9 * Double(status.st_mtim.tv_nsec)
  }
}
