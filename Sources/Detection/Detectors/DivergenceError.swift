import Primitives

/// The network gave numbers in test mode that are no boxes or scores.
public struct DivergenceError: ReportedError, Equatable {
  public let description: String
  public var exitCode: ExitCode { .badData }
  /// Each rank has other images.
  public var scope: ErrorScope { .thisRank }

  init(image: Int64, count: Int, of kind: String) {
    description =
      "image \(image): \(count) of its \(kind) are not finite: the weights have diverged; use an older checkpoint"
  }
}
