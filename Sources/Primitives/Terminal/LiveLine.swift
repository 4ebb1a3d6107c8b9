internal import CMachine
import Foundation

/// A line of the terminal that is written over again and again, and other text that finds its place beside it. Where the
/// standard output is no terminal there is none.
///
/// Text that stays is written after `take()`; what ends a program, or may, first calls `end()`, and a signal that stops it
/// does the same by itself.
public enum LiveLine {
  /// Whether one can be shown. mpirun gives its local ranks a terminal of its own whatever its own output is: the parent's is
  /// asked there.
  public static let isPossible: Bool = {
    guard isatty(STDOUT_FILENO) != 0, Launcher.rank != nil else { return isatty(STDOUT_FILENO) != 0 }
    return parentWritesToTerminal(STDOUT_FILENO)
  }()

  /// Shows text in the place of what is shown, cut to a line; nothing after a signal to stop, or `end()`.
  public static func show(_ text: String) {
    guard isPossible, machine_begin_live_line() != 0 else { return }
    let columns = Int(machine_terminal_columns())
    print("\(wiping)\(text.prefix(columns > 1 ? columns - 1 : 79))", terminator: "")
    fflush(nil)
    // A signal came in between, and its new line perhaps before the text.
    if machine_begin_live_line() == 0 {
      _ = machine_take_live_line()
      print("")
      fflush(nil)
    }
  }

  /// What is to be printed before text that stands in the line's place; empty where no line is shown.
  public static func take() -> String { machine_take_live_line() != 0 ? wiping : "" }

  /// Lets the line stand as it is, with the cursor below it, and shows none any more.
  public static func end() {
    fflush(nil)
    machine_end_live_lines()
  }

  /// Writes text to the standard error, on lines of its own: the live line, which stays where this rank shows it, ends before.
  /// Nothing is asked of the standard output's buffer, which a thread that is stuck may hold.
  public static func printError(_ text: String) {
    if machine_take_live_line() != 0 { FileHandle.standardOutput.write(Data("\n".utf8)) }
    // Rank 0's live line may be on the same terminal.
    let isBesideAnother = (Launcher.rank ?? 0) > 0 && parentWritesToTerminal(STDERR_FILENO)
    FileHandle.standardError.write(Data("\(isBesideAnother ? wiping : "")\(text)".utf8))
  }

  private static let wiping = "\r\u{1B}[K"

  private static func parentWritesToTerminal(_ descriptor: Int32) -> Bool {
    let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(getppid())/fd/\(descriptor)")
    return target.map { $0.hasPrefix("/dev/pts/") || $0.hasPrefix("/dev/tty") } ?? false
  }
}
