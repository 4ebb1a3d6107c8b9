internal import CMachine
import Foundation

/// Ends the program because of a mistake of its own: prints the sentence and its place, in release builds too, and ends
/// all ranks with 70 (`EX_SOFTWARE`). What a user, a file or a machine can cause is thrown instead.
///
/// - Parameters:
///   - message: what was found and what was expected, for example both shapes.
///   - file, line: the place, which is the caller's.
public func bug(_ message: String, file: StaticString = #fileID, line: UInt = #line) -> Never {
  let rank = Launcher.rank.map { "[rank \($0)] " } ?? ""
  let text = "\(rank)error: a bug of rcnn-train at \(file):\(line): \(message); please report it\n"
  FileHandle.standardError.write(Data(text.utf8))
  machine_end(ExitCode.software.rawValue)
}

/// `bug` unless the condition holds. The message is only made where it doesn't.
@inline(__always)
public func require(
  _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID,
  line: UInt = #line
) {
  if !condition() { bug(message(), file: file, line: line) }
}
