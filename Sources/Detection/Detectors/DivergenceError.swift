import Primitives

/// The network gave numbers in test mode that are no boxes or scores.
public struct DivergenceError: ReportedError, Equatable {
  public let image: Int64
  private let count: Int
  private let kind: String
  private var name: String?

  public var description: String {
    "image \(name ?? "\(image)"): \(count) of its \(kind) are not finite: the weights have diverged; use an older "
      + "checkpoint"
  }
  public var exitCode: ExitCode { .badData }
  /// Each rank has other images.
  public var scope: ErrorScope { .thisRank }

  init(image: Int64, count: Int, of kind: String) { (self.image, self.count, self.kind) = (image, count, kind) }

  /// The same, calling the image by a name of its own.
  public func calling(_ name: String) -> DivergenceError {
    var error = self
    error.name = name
    return error
  }
}
