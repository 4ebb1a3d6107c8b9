import Foundation
import Logging
import Primitives

/// mmdetection's training lines and `<time>.log.json`, averaged over the logging interval (mmcv's `TextLoggerHook`).
final class MetricsLog {
  /// What one step adds.
  struct Step {
    let epoch: Int
    /// 1-based in the epoch.
    let iteration: Int
    let iterationsPerEpoch: Int
    let lr: Double
    let losses: LossValues
    let seconds: Double
    let dataSeconds: Double
    /// nil in a world of one.
    let sync: SyncTimes?
  }

  private let logger: Logger
  private let sink: LogSink
  private let json: LogFile?
  private let interval: Int
  private let maxIterations: Int
  private let firstIteration: Int
  private var totalSeconds = 0.0
  private var window: [Step] = []
  private var done: Int

  /// - Parameters:
  ///   - jsonPath: where the JSON lines go; nil for nowhere.
  ///   - done: the iterations done before this run (after a resume).
  init(
    logger: Logger, sink: LogSink, jsonPath: String?, interval: Int, maxIterations: Int, done: Int
  ) throws {
    (self.logger, self.sink, self.interval, self.maxIterations) = (logger, sink, interval, maxIterations)
    (self.done, firstIteration) = (done, done)
    json = try jsonPath.map { try LogFile($0) }
  }

  func writeJSON(_ fields: [(String, JSON)]) { json?.write(JSON.object(fields).text(.log) + "\n") }

  func record(_ step: Step) {
    done += 1
    totalSeconds += step.seconds
    window.append(step)
    let isDue = step.iteration % interval == 0
    if isDue { logWindow() } else { showProgress(step) }
    if step.iteration == step.iterationsPerEpoch { window.removeAll() }
  }

  /// `Epoch(val) [1][100]\tbbox_mAP: 0.3740, …`; `metrics` in mmdetection's order.
  func recordValidation(epoch: Int, images: Int, lr: Double, metrics: [(String, Double)]) {
    let numbers = metrics.map { "\($0.0): \(fixed($0.1, 4))" }.joined(separator: ", ")
    logger.info("Epoch(val) [\(epoch)][\(images)]\t\(numbers)")
    writeJSON(
      [("mode", .text("val")), ("epoch", .integer(epoch)), ("iter", .integer(images)), ("lr", .number(lr))]
        + metrics.map { ($0.0, .number($0.1)) })
  }

  private func logWindow() {
    guard let last = window.last else { return }
    func mean(_ value: (Step) -> Double) -> Double { window.reduce(0) { $0 + value($1) } / Double(window.count) }
    let losses = last.losses.named.enumerated().map { index, term in
      (term.name, mean { $0.losses.named[index].value })
    }
    let (time, dataTime, memory) = (mean(\.seconds), mean(\.dataSeconds), Int(Machine.peakMemoryMiB))
    let sync = last.sync.map { _ in
      (waited: mean { $0.sync?.waitedSeconds ?? 0 }, hidden: mean { $0.sync?.hiddenShare ?? 0 })
    }
    let numbers = losses.map { "\($0.0): \(fixed($0.1, 4))" }.joined(separator: ", ")
    logger.info(
      """
      Epoch [\(last.epoch)][\(last.iteration)/\(last.iterationsPerEpoch)]\tlr: \(scientific(last.lr)), eta: \(eta), \
      time: \(fixed(time, 3)), data_time: \(fixed(dataTime, 3)), memory: \(memory), \(numbers)\
      \(sync.map { ", sync: \(fixed(1000 * $0.waited, 0)) ms, \(fixed(100 * $0.hidden, 0)) % hidden" } ?? "")
      """)
    writeJSON(
      [
        ("mode", .text("train")), ("epoch", .integer(last.epoch)), ("iter", .integer(last.iteration)),
        ("lr", .number(last.lr)), ("memory", .integer(memory)), ("data_time", .number(dataTime)),
      ] + losses.map { ($0.0, .number($0.1)) } + [("time", .number(time))]
        + (sync.map { [("sync", .number($0.waited)), ("sync_hidden", .number($0.hidden))] } ?? []))
    window.removeAll()
  }

  private func showProgress(_ step: Step) {
    sink.showProgress(
      "Epoch [\(step.epoch)][\(step.iteration)/\(step.iterationsPerEpoch)]  loss \(fixed(step.losses.total, 3))  "
        + "\(fixed(step.seconds, 2)) s/iter  eta \(eta)")
  }

  /// `1 day, 2:36:29`, as Python prints a time span.
  private var eta: String {
    let left = Int(totalSeconds / Double(max(1, done - firstIteration)) * Double(max(0, maxIterations - done)))
    let (days, rest) = left.quotientAndRemainder(dividingBy: 86400)
    let clock = "\(rest / 3600):\(twoDigits(rest / 60 % 60)):\(twoDigits(rest % 60))"
    return days == 0 ? clock : "\(days) day\(days == 1 ? "" : "s"), \(clock)"
  }

  private func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}

func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
func scientific(_ value: Double) -> String { String(format: "%.3e", value) }
