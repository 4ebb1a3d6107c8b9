import Foundation
import Primitives

/// A file that could not be written.
public struct OutputError: ReportedError, Equatable {
  public let path: String
  public let reason: String

  init(path: String, reason: String) { (self.path, self.reason) = (path, reason) }

  public var description: String { "\(path): error: the file cannot be written: \(reason)" }
  public var exitCode: ExitCode { .io }
  /// Rank 0 alone writes.
  public var scope: ErrorScope { .allRanks }

  /// Puts `bytes` at `path` as a whole.
  package static func orWrite(_ bytes: some ContiguousBytes, to path: String, safety: WholeFile.Safety)
    throws(OutputError)
  {
    do { try WholeFile.write(bytes, to: path, safety: safety) } catch {
      throw OutputError(path: path, reason: error.reason)
    }
  }
}
