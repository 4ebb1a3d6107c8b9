import Foundation
import Logging
import Primitives

/// Writes mmdetection's lines (`2021-04-01 12:00:00,123 - mmdet - INFO - …`) to the terminal and, in a work
/// directory, to `<time>.log`. Only rank 0 has one; the others log nothing below `warning`.
public struct RunLogHandler: LogHandler {
  public var metadata: Logger.Metadata = [:]
  public var logLevel: Logger.Level
  private let name: String
  private let sink: LogSink

  init(name: String, level: Logger.Level, sink: LogSink) {
    (self.name, logLevel, self.sink) = (name, level, sink)
  }

  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  public func log(event: LogEvent) {
    let level = event.level == .notice ? "INFO" : event.level.rawValue.uppercased()
    sink.write("\(Self.timestamp(Date())) - \(name) - \(level) - \(event.message)\n")
  }

  /// `2021-04-01 12:00:00,123` in local time.
  static func timestamp(_ date: Date) -> String {
    let parts = Calendar.current.dateComponents(
      [.year, .month, .day, .hour, .minute, .second, .nanosecond], from: date)
    func padded(_ value: Int?, _ width: Int) -> String {
      let digits = String(value ?? 0)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let day = "\(padded(parts.year, 4))-\(padded(parts.month, 2))-\(padded(parts.day, 2))"
    let time = "\(padded(parts.hour, 2)):\(padded(parts.minute, 2)):\(padded(parts.second, 2))"
    return "\(day) \(time),\(padded((parts.nanosecond ?? 0) / 1_000_000, 3))"
  }
}

/// Where log lines go. Text on the terminal shares the place with the live progress line, which is wiped first.
final class LogSink: @unchecked Sendable {
  private let lock = NSLock()
  private var file: LogFile?
  let isTerminal = LiveLine.isPossible

  /// From now on, lines also go to this file.
  func open(_ path: String) throws {
    let opened = try LogFile(path)
    lock.withLock { file = opened }
  }

  func write(_ line: String) {
    lock.withLock {
      print("\(LiveLine.take())\(line)", terminator: "")
      fflush(nil)
      file?.write(line)
    }
  }

  /// An error of one thing among many, which does not end the program. What was printed before comes before it.
  func writeError(_ line: String) {
    lock.withLock {
      print(LiveLine.take(), terminator: "")
      fflush(nil)
      LiveLine.printError(line)
    }
  }

  /// Replaces the live progress line; nothing where the output is not a terminal.
  func showProgress(_ text: String) {
    guard isTerminal else { return }
    lock.withLock { LiveLine.show(text) }
  }

  /// Nothing stands on the live line any more.
  func wipeProgress() {
    lock.withLock {
      print(LiveLine.take(), terminator: "")
      fflush(nil)
    }
  }
}
