/// What can go wrong in a run that is not our bug, each a sentence with its place and remedy, and the exit code of
/// `sysexits.h` that it ends with.
public struct RunError: Error, CustomStringConvertible, Sendable {
  public let description: String
  public let exitCode: Int32

  public init(_ description: String, exitCode: ExitCode) {
    (self.description, self.exitCode) = (description, exitCode.rawValue)
  }

  /// Those of `sysexits.h`; `stoppedBySignal` (its `EX_TEMPFAIL`): run again with `--resume auto`.
  public enum ExitCode: Int32, Sendable {
    case usage = 64, badData = 65, inputMissing = 66, software = 70, io = 74, stoppedBySignal = 75, configuration = 78
  }

  static func cannotWrite(_ path: String, _ reason: String) -> RunError {
    RunError("\(path): error: can't be written (\(reason)); choose another --work-dir or free the space", exitCode: .io)
  }
}

/// An error that all ranks meet alike, so that one of them says it.
struct CommonError: Error, CustomStringConvertible {
  let underlying: any Error

  var description: String { "\(underlying)" }

  /// Runs what all ranks do in the same way before training starts.
  static func during<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch { throw CommonError(underlying: error) }
  }
}
