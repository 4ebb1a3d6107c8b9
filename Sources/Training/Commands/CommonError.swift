import Primitives

/// An error that all ranks meet alike, so that one of them says it.
struct CommonError: ReportedError {
  let underlying: any Error

  var description: String { "\(underlying)" }
  var exitCode: ExitCode { (underlying as? any ReportedError)?.exitCode ?? .software }
  var scope: ErrorScope { .allRanks }

  /// Runs what all ranks do in the same way before training starts.
  static func during<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch { throw CommonError(underlying: error) }
  }
}
