internal import CMachine
import Foundation

/// Ends the program because of a mistake of its own: prints the sentence and its place, in release builds too, and ends
/// all ranks with 70 (`EX_SOFTWARE`). What a user, a file or a machine can cause is thrown instead.
///
/// - Parameters:
///   - message: what was found and what was expected, for example both shapes.
///   - file: the caller's.
///   - line: the caller's place in it.
public func bug(_ message: String, file: StaticString = #fileID, line: UInt = #line) -> Never {
  endAllRanks(with: "a bug of rcnn-train at \(file):\(line): \(message); please report it", code: .software)
}

/// `bug` unless the condition holds. The message is only made where it doesn't.
@inline(__always)
public func require(
  _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID,
  line: UInt = #line
) {
  if !condition() { bug(message(), file: file, line: line) }
}

/// Says what is wrong, and on which rank, and ends all ranks.
func endAllRanks(with message: String, code: ExitCode) -> Never {
  let rank = Launcher.rank.map { "[rank \($0)] " } ?? ""
  LiveLine.printError("\(rank)error: \(message)\n")
  machine_end(code.rawValue)
}
