import Primitives

/// What is wrong with the user's data: an annotation file, a picture, or a pipeline that does not fit them.
public struct COCOError: ReportedError, Equatable, Codable {
  public enum Kind: String, Codable, Sendable { case inputMissing, inputOutput, badData, badConfiguration }

  public let kind: Kind
  /// The file, or `file:line:column` (both from 1, the column in bytes) where the text itself is at fault.
  public let place: String
  /// What was found, what was expected, and what to do about it.
  public let message: String

  public init(_ kind: Kind = .badData, at place: String, _ message: String) {
    (self.kind, self.place, self.message) = (kind, place, message)
  }

  public var description: String { "\(place): error: \(message)" }
  public var exitCode: ExitCode {
    switch kind {
    case .inputMissing: .inputMissing
    case .inputOutput: .io
    case .badData: .badData
    case .badConfiguration: .configuration
    }
  }
  /// A picture is read by one rank. What all ranks read alike is wrapped by who lets them.
  public var scope: ErrorScope { .thisRank }
}
