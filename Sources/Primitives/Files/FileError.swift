import Foundation

/// What the system said of a file that was written. Who wrote it says the sentence.
public struct FileError: Error, Equatable, Sendable {
  /// What could not be done with the file.
  public enum Step: String, Sendable {
    case creating, writing, syncing, readingBack, comparing, renaming, linking, syncingDirectory
  }

  public let step: Step
  /// `errno`; 0 where the system said nothing (`comparing`).
  public let code: Int32

  init(_ step: Step, code: Int32 = errno) { (self.step, self.code) = (step, code) }

  /// The system's own words, for example "No space left on device".
  public var reason: String { String(cString: strerror(code)) }
}
