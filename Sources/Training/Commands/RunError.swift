import Primitives

/// What can go wrong in a run that is not our bug, each a sentence with its place and remedy, and the exit code that it
/// ends with.
public struct RunError: ReportedError {
  public typealias ExitCode = Primitives.ExitCode

  public let description: String
  public let exitCode: ExitCode
  public let scope: ErrorScope

  /// - Parameters:
  ///   - description: place, what was found, what was expected, and what to do.
  ///   - exitCode: with which the program ends.
  ///   - scope: as a rule all ranks meet it, or rank 0 alone.
  public init(_ description: String, exitCode: ExitCode, scope: ErrorScope = .allRanks) {
    (self.description, self.exitCode, self.scope) = (description, exitCode, scope)
  }

  /// - Parameter option: what says where it is to go.
  static func cannotWrite(_ path: String, _ reason: String, _ option: String = "--work-dir") -> RunError {
    RunError("\(path): error: can't be written (\(reason)); choose another \(option) or free the space", exitCode: .io)
  }
}
