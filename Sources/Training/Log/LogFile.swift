import Foundation
import Primitives

/// A file of log lines. A disk that is full doesn't end a run because of its log: that is said once, and the lines are lost.
final class LogFile {
  private let path: String
  private let stream: FileStream
  private var isComplete = true

  /// - Throws: `RunError` where the file can't be created.
  init(_ path: String) throws {
    self.path = path
    stream = try OutputFolder.stream(path)
  }

  /// Adds text that ends with a newline.
  func write(_ text: String) {
    do { try stream.write(text) } catch {
      if isComplete {
        let warning = "\(path): warning: lines of this log are lost (\(error.reason)); the run goes on\n"
        LiveLine.printError(warning)
      }
      isComplete = false
    }
  }
}
