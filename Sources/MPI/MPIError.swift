import Primitives

/// What MPI said went wrong.
public struct MPIError: ReportedError {
  /// The C function, for example `MPI_Allreduce`.
  public let function: String
  /// MPI's own text.
  public let text: String

  public var description: String { "MPI failed in \(function): \(text)" }
  public var exitCode: ExitCode { .io }
  public var scope: ErrorScope { .thisRank }
}

/// A start that cannot become one training over all ranks, in a sentence.
public struct LaunchError: ReportedError, Equatable {
  public let description: String
  public let scope: ErrorScope
  public var exitCode: ExitCode { .usage }

  package init(description: String, scope: ErrorScope = .allRanks) {
    (self.description, self.scope) = (description, scope)
  }
}
