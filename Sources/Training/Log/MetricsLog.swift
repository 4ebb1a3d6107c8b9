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
    /// nil without `grad_clip`, and where the optimiser took no step.
    let gradNorm: Double?
    let seconds: Double
    let dataSeconds: Double
    /// nil in a world of one.
    let sync: SyncTimes?
    /// Whether the parameters moved; where not, something was not finite, and means leave the losses out.
    let isTaken: Bool
    /// The steps of the run that were not taken.
    let skipped: Int
    /// Different pictures, since the start of the process.
    let badPictures: Int
  }

  private let logger: Logger
  private let sink: LogSink
  private let json: LogFile?
  private let tensorBoard: TensorBoardLog?
  private let section: LogSection
  private let maxIterations: Int
  private let firstIteration: Int
  private var totalSeconds = 0.0
  private var window: [Step] = []
  /// Of the epoch, or of the run that counts iterations: where its interval is longer, its last step gets a line.
  private var hasLine = false
  private var done: Int

  /// - Parameters:
  ///   - jsonPath: where the JSON lines go; nil for nowhere.
  ///   - tensorBoard: where the same goes; nil for nowhere.
  ///   - done: the iterations done before this run (after a resume).
  init(
    logger: Logger, sink: LogSink, jsonPath: String?, tensorBoard: TensorBoardLog?, section: LogSection,
    maxIterations: Int, done: Int
  ) throws {
    (self.logger, self.sink, self.section, self.maxIterations) = (logger, sink, section, maxIterations)
    self.tensorBoard = tensorBoard
    (self.done, firstIteration) = (done, done)
    json = try jsonPath.map { try LogFile($0) }
  }

  func writeJSON(_ fields: [(String, JSON)]) { json?.write(JSON.object(fields).text(.log) + "\n") }

  func record(_ step: Step) {
    done += 1
    totalSeconds += step.seconds
    window.append(step)
    tensorBoard?.record(step, done: done)
    let isLast = section.byEpoch ? step.iteration == step.iterationsPerEpoch : done == maxIterations
    let isDue = (section.byEpoch ? step.iteration : done) % section.interval == 0
    if isDue || (isLast && !hasLine) {
      logWindow()
      hasLine = true
    } else {
      showProgress(step)
      if done == firstIteration + 1 { announceFirstLine(after: step) }
    }
    guard section.byEpoch, isLast else { return }
    window.removeAll()
    hasLine = false
  }

  /// `Epoch(val) [1][100]\tbbox_mAP: 0.3740, …, bbox_mAP_copypaste: …`, or `Iter(val) [10000]\t…`.
  /// - Parameter classes: those that are reported by themselves.
  func recordValidation(epoch: Int, images: Int, lr: Double, _ outcome: Validation.Outcome, classes: [String]) {
    let metrics = outcome.result.metrics
    let copyPaste = outcome.result.copyPaste.map { (Validation.Outcome.copyPasteName, $0) }
    let numbers = (metrics.map { "\($0.0): \(fixed($0.1, 4))" } + (copyPaste.map { ["\($0): \($1)"] } ?? []))
      .joined(separator: ", ")
    logger.info("\(section.byEpoch ? "Epoch(val) [\(epoch)][\(images)]" : "Iter(val) [\(done)]")\t\(numbers)")
    let iteration = section.byEpoch ? images : done
    writeJSON(
      [("mode", .text("val")), ("epoch", .integer(epoch)), ("iter", .integer(iteration)), ("lr", .number(lr))]
        + metrics.map { ($0.0, .number($0.1)) } + (copyPaste.map { [($0, .text($1))] } ?? [])
        + outcome.result.classPrecisions(classes)
        + (outcome.badPictures.isEmpty ? [] : [("bad_pictures", .integer(outcome.badPictures.count))]))
    tensorBoard?.recordValidation(outcome, classes: classes, done: done)
  }

  /// A line without the key `epoch`, so that readers of mmdetection's lines step over it.
  func recordBadPictures(epoch: Int, _ found: [FoundBadPicture]) {
    let pictures = found.map { one in
      JSON.object([
        ("image", one.picture.identifier.json), ("file", .text(one.picture.error.place)),
        ("reason", .text(one.picture.error.message)),
      ])
    }
    writeJSON([("mode", .text("bad_pictures")), ("of_epoch", .integer(epoch)), ("bad_pictures", .array(pictures))])
  }

  /// `Epoch [1][50/7330]`, or `Iter [50/90000]`, counted over the whole run.
  private func place(_ step: Step) -> String {
    section.byEpoch
      ? "Epoch [\(step.epoch)][\(step.iteration)/\(step.iterationsPerEpoch)]" : "Iter [\(done)/\(maxIterations)]"
  }

  private func logWindow() {
    defer { window.removeAll() }
    guard let means = StepMeans(window) else { return }
    let (last, terms, sync) = (means.last, means.terms, means.sync)
    let (time, dataTime, memory) = (means.seconds, means.dataSeconds, Int(Machine.peakMemoryMiB))
    let numbers = terms.map { "\($0.0): \(fixed($0.1, 4))" }.joined(separator: ", ")
    logger.info(
      """
      \(place(last))\tlr: \(scientific(last.lr)), eta: \(eta), \
      time: \(fixed(time, 3)), data_time: \(fixed(dataTime, 3)), memory: \(memory), \(numbers)\
      \(sync.map { ", sync: \(fixed(1000 * $0.waited, 0)) ms, \(fixed(100 * $0.hidden, 0)) % hidden" } ?? "")
      """)
    var fields: [(String, JSON)] = [
      ("mode", .text("train")), ("epoch", .integer(last.epoch)),
      ("iter", .integer(section.byEpoch ? last.iteration : done)),
      ("lr", .number(last.lr)), ("memory", .integer(memory)), ("data_time", .number(dataTime)),
    ]
    fields += terms.map { ($0.0, .number($0.1)) }
    fields.append(("time", .number(time)))
    if let sync {
      fields += [
        ("sync", .number(sync.waited)), ("sync_hidden", .number(sync.hidden)), ("imbalance", .number(sync.imbalance)),
      ]
    }
    if last.skipped > 0 { fields.append(("skipped", .integer(last.skipped))) }
    if last.badPictures > 0 { fields.append(("bad_pictures", .integer(last.badPictures))) }
    writeJSON(fields)
  }

  /// Where there is no live line: how long nothing will be seen.
  private func announceFirstLine(after step: Step) {
    let wait = step.seconds * Double(section.interval)
    guard !sink.isTerminal, wait >= 10 else { return }
    logger.info(
      """
      The first step took \(fixed(step.seconds, 1)) s; a line comes every \(section.interval) iterations, the first in \
      about \(timeSpan(wait))
      """)
  }

  private func showProgress(_ step: Step) {
    sink.showProgress(
      "\(place(step))  loss \(fixed(step.losses.total, 3))  "
        + "\(fixed(step.seconds, 2)) s/iter  eta \(eta)")
  }

  private var eta: String {
    timeSpan(totalSeconds / Double(max(1, done - firstIteration)) * Double(max(0, maxIterations - done)))
  }
}

/// `1 day, 2:36:29`, as Python prints a time span.
func timeSpan(_ seconds: Double) -> String {
  func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
  let (days, rest) = Int(seconds).quotientAndRemainder(dividingBy: 86400)
  let clock = "\(rest / 3600):\(twoDigits(rest / 60 % 60)):\(twoDigits(rest % 60))"
  return days == 0 ? clock : "\(days) day\(days == 1 ? "" : "s"), \(clock)"
}

func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
func scientific(_ value: Double) -> String { String(format: "%.3e", value) }
