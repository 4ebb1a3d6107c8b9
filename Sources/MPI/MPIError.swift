/// What MPI said went wrong.
public struct MPIError: Error, CustomStringConvertible, Sendable {
  /// The C function, for example `MPI_Allreduce`.
  public let function: String
  /// MPI's own text.
  public let text: String

  public var description: String { "MPI failed in \(function): \(text)" }
}

/// A start that cannot become one training over all ranks, in a sentence.
public struct LaunchError: Error, CustomStringConvertible, Equatable, Sendable {
  public let description: String

  package init(description: String) { self.description = description }
}
