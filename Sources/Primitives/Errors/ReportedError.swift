/// An error that says itself how the program ends because of it: with which exit code, and which ranks meet it. What
/// doesn't is a mistake of the program's (70), and each rank that meets it speaks for itself.
public protocol ReportedError: Error, CustomStringConvertible, Sendable {
  var exitCode: ExitCode { get }
  var scope: ErrorScope { get }
}

/// Which ranks meet an error.
public enum ErrorScope: Sendable {
  /// All alike, as a mistake of the user's, or rank 0 alone, as with a checkpoint that only rank 0 reads: rank 0 says it,
  /// once, without its rank.
  case allRanks
  /// Something that happened to this rank: it says so itself, with its rank.
  case thisRank
}

/// What a process ends with where not all went well: the codes of `sysexits.h`.
public enum ExitCode: Int32, Sendable {
  /// The command line, or the launcher.
  case usage = 64
  /// The contents of a file.
  case badData = 65
  /// A file that is not there.
  case inputMissing = 66
  /// A mistake of the program's.
  case software = 70
  /// The system: a disk, a network.
  case io = 74
  /// Stopped after saving (`EX_TEMPFAIL`): run again with `--resume auto`.
  case stoppedBySignal = 75
  /// The watchdog: the run stood still (`mpi.stall_timeout`). Run again with `--resume auto`.
  case stalled = 76
  /// The configuration.
  case configuration = 78
}
