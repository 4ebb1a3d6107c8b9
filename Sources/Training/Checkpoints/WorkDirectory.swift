import Foundation
import Logging
import Primitives

/// The work directory of a run, as rank 0 writes to it: of one job at a time.
final class WorkDirectory {
  private let path: String
  private let lock: LockFile
  /// The folders that were made for it, the innermost first.
  private let newFolders: [String]

  /// Makes it, locks it, and removes what killed runs have left half written.
  /// - Parameter isTrial: nothing is removed, since nothing will be written.
  /// - Throws: `RunError` where it can't be made, or another job works in it (74).
  init(_ path: String, _ logger: Logger, isTrial: Bool = false) throws {
    self.path = path
    newFolders = Self.missingFolders(path)
    try OutputFolder.make(path)
    do {
      lock = try LockFile("\(path)/\(Self.lockName)")
    } catch {
      switch error {
      case .file(let error): throw RunError.cannotWrite("\(path)/\(Self.lockName)", error.reason)
      case .taken(let owner):
        throw RunError(
          """
          \(path): error: another job works in this directory (\(owner ?? "its \(Self.lockName) is renewed")); wait \
          for it or end it, or choose another --work-dir
          """, exitCode: .io)
      }
    }
    if let predecessor = lock.predecessor {
      logger.notice("\(path) was left locked by \(predecessor), which is dead: its lock is taken over")
    }
    guard !isTrial else { return }
    let removed = removeLeftovers()
    if !removed.isEmpty {
      logger.notice("\(path): removed what killed runs left half written: \(removed.joined(separator: ", "))")
    }
  }

  private static let lockName = ".lock"

  /// - Throws: `RunError` (74) where another job has taken the directory over.
  func requireHeld() throws {
    guard !lock.isHeld else { return }
    throw RunError(
      """
      \(path): error: the lock of this directory is no longer this job's: it was removed, or another job took this one \
      for dead while it was stopped; nothing is written any more, so end one of the two and go on with --resume auto
      """, exitCode: .io)
  }

  /// Unlocks it, and removes it where nothing was written, with the folders around it that were made for it.
  func release() {
    lock.release()
    for folder in newFolders { guard rmdir(folder) == 0 else { break } }
  }

  /// Of a path's folders those that are not there, the innermost first.
  private static func missingFolders(_ path: String) -> [String] {
    var (missing, folder) = ([String](), path.hasPrefix("/") ? "/" : "")
    for part in path.split(separator: "/") {
      folder += "\(part)/"
      if !FileManager.default.fileExists(atPath: folder) { missing.insert(folder, at: 0) }
    }
    return missing
  }

  /// Runs what may fail before the run has its directory, which then is not left behind locked.
  static func releasing<Result>(_ directory: WorkDirectory?, onFailureOf body: () throws -> Result) throws -> Result {
    do { return try body() } catch {
      directory?.release()
      throw error
    }
  }

  /// Of whatever process, since no other one is at work here: `.epoch_3.h5.HOST.PROCESS.partial`.
  private func removeLeftovers() -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    let pattern =
      #/\.(epoch_\d+\.h5|iter_\d+\.h5|best_\w+\.h5|latest\.h5|config\.yaml|validations\.json|lock)\..+\.\d+\.partial/#
    return names.filter { $0.wholeMatch(of: pattern) != nil && unlink("\(path)/\($0)") == 0 }.sorted()
  }

  /// A warning where there is no room for two checkpoints, of which the older one goes when the newer one is there.
  func roomWarning(checkpointBytes: Int) -> String? {
    guard let free = WholeFile.freeBytes(beside: "\(path)/latest.h5"), free < 2 * checkpointBytes else { return nil }
    return """
      \(path): \(free >> 20) MiB are free, but two checkpoints want \(2 * checkpointBytes >> 20): free some space, set \
      checkpoint_config.max_keep_ckpts, or choose another --work-dir
      """
  }
}
