import Foundation
import Logging
import Primitives

/// Says what a run is at while there is nothing to log yet. On a terminal that is the live line, at once; elsewhere it is
/// lines, for what takes long, more and more seldom. What took long leaves a line in both.
///
/// Rank 0 has one, from its first moment on until its first step is done.
final class Stages: @unchecked Sendable {
  private let sink: LogSink
  private let logger: Logger?
  private let condition = NSCondition()
  private var stage: Stage?
  private var isOver = false

  private struct Stage {
    let name: String
    let start = ContinuousClock.now
    /// Seconds; what was said last.
    var said = -1

    var seconds: Int { Int((ContinuousClock.now - start).components.seconds) }
  }

  /// After how many seconds a screen counts as silent, and a stage as one that took long.
  private static let long = 2

  /// - Parameter logger: where lines go; nil: there is a live line or nothing.
  init(_ sink: LogSink, logger: Logger?) {
    (self.sink, self.logger) = (sink, logger)
    // Without the thread it is only more silent.
    guard sink.isTerminal || logger != nil else { return }
    _ = SystemThread.startIfPossible("stages") { [self] in watch() }
  }

  /// Another stage begins, and the one before is over.
  /// - Parameter name: such as `Looking up the pictures`.
  func begin(_ name: String) {
    condition.withLock {
      conclude()
      stage = Stage(name: name)
      if sink.isTerminal { speak() }
    }
  }

  /// The last stage is over.
  func end() {
    condition.withLock {
      guard !isOver else { return }
      conclude()
      isOver = true
      condition.signal()
    }
  }

  private func conclude() {
    guard let stage else { return }
    self.stage = nil
    sink.wipeProgress()
    if stage.seconds >= Self.long { logger?.info("\(stage.name): done in \(stage.seconds) s") }
  }

  private func watch() {
    condition.lock()
    defer { condition.unlock() }
    while !isOver {
      speak()
      _ = condition.wait(until: Date().addingTimeInterval(0.2))
    }
  }

  private func speak() {
    guard let stage, stage.seconds != stage.said else { return }
    let seconds = stage.seconds
    if sink.isTerminal {
      sink.showProgress(seconds < Self.long ? stage.name : "\(stage.name) … \(seconds) s")
    } else if seconds >= max(Self.long, 5 * stage.said) || seconds - stage.said >= 60 {
      logger?.info("\(stage.name) … \(seconds) s so far")
    } else {
      return
    }
    self.stage?.said = seconds
  }
}
