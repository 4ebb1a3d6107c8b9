/// A checkpoint that could not be written or read, in a sentence with the file's name.
public struct CheckpointError: Error, CustomStringConvertible, Equatable, Sendable {
  public let description: String
  /// Of `sysexits.h`: 65 the file's contents are wrong, 66 there is none, 74 the system failed.
  public let exitCode: Int32
}
