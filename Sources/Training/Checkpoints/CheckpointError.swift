import Primitives

/// A checkpoint that could not be written or read, in a sentence with the file's name.
public struct CheckpointError: ReportedError, Equatable {
  public let description: String
  /// `badData`: the file's contents are wrong; `inputMissing`: there is none; `io`: the system failed.
  public let exitCode: ExitCode
  /// Whether the same may go well a little later: the disk is full, or its network has a bad moment.
  var isPassing = false
  /// Rank 0 alone reads and writes checkpoints.
  public var scope: ErrorScope { .allRanks }
}
