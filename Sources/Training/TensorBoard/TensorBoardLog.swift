import COCO
import Logging
import Primitives
import TensorBoard

/// What TensorBoard shows of a run: mmcv's `TensorboardLoggerHook`, with its names.
///
/// Points of the training stand at the iterations done, 1-based, as there; those of a validation at the iterations that the
/// weights have behind them, which is one less than there, so that a run that goes on from their checkpoint doesn't take them
/// back. Where the system fails, that is said once and the run goes on; a later point begins a new file.
final class TensorBoardLog {
  private let section: TensorBoardSection
  private let folder: String
  private let momentum: Double
  private let maxIterations: Int
  private let pictures: ValidationPictures?
  private let logger: Logger
  private var file: EventFile?
  private var hasFailed = false
  /// The last `interval` steps, at most; of the epoch, where that is what is counted.
  private var window: [MetricsLog.Step] = []
  /// Of the epoch or of the run: where its interval is longer, its last step gets a point.
  private var hasPoint = false

  /// Opens the file, since what is older may have to be taken back now.
  /// - Parameters:
  ///   - validation: what is measured in the run; nil: nothing is.
  ///   - maxIterations: of the run at its end.
  ///   - done: the iterations before this process.
  init(
    _ section: TensorBoardSection, _ run: RunSetup, _ validation: CocoDataset?, maxIterations: Int, done: Int
  ) {
    let (configuration, model) = (run.configuration, run.configuration.model)
    (self.section, self.maxIterations, logger) = (section, maxIterations, run.logger)
    folder = section.logDir ?? Folder.join(run.workDir, "tf_logs")
    momentum = configuration.optimizer.adam?.beta1 ?? Double(configuration.optimizer.momentum)
    let count = configuration.mpi.tensorBoardPictures
    pictures = validation.map { ValidationPictures($0, count: count, tellsClassesApart: model.roiHead != nil) }
    // Before its first step a run may be measured at step 0.
    attempt { _ = try opened(at: done == 0 ? 0 : done + 1) }
  }

  /// - Parameter done: the iterations, with this one.
  func record(_ step: MetricsLog.Step, done: Int) {
    if window.count == section.interval { window.removeFirst() }
    window.append(step)
    let endsEpoch = step.iteration == step.iterationsPerEpoch
    let isLast = section.byEpoch ? endsEpoch : done == maxIterations
    let isDue = (section.byEpoch ? step.iteration : done) % section.interval == 0
    if isDue || endsEpoch && !section.ignoreLast || isLast && !hasPoint {
      if let means = StepMeans(window) { write(values(of: means), step: done) }
      hasPoint = true
    }
    guard section.byEpoch, endsEpoch else { return }
    window.removeAll()
    hasPoint = false
  }

  /// - Parameter classes: those that are reported by themselves.
  func recordValidation(_ outcome: Validation.Outcome, classes: [String], done: Int) {
    let metrics = outcome.result.metrics + outcome.result.classMetrics(classes)
    write(metrics.map { SummaryValue("val/\($0.0)", $0.1) }, step: done)
    var drawn: [SummaryValue] = []
    attempt { drawn = try pictures?.drawn(with: outcome.detections) ?? [] }
    if !drawn.isEmpty { write(drawn, step: done) }
  }

  private func values(of means: StepMeans) -> [SummaryValue] {
    let last = means.last
    var values = means.terms.map { SummaryValue("train/\($0.name)", $0.value) }
    values += [
      SummaryValue("train/time", means.seconds), SummaryValue("train/data_time", means.dataSeconds),
      SummaryValue("learning_rate", last.lr), SummaryValue("momentum", momentum),
    ]
    if let sync = means.sync {
      values += [
        SummaryValue("mpi/sync", sync.waited), SummaryValue("mpi/sync_hidden", sync.hidden),
        SummaryValue("mpi/imbalance", sync.imbalance),
      ]
    }
    if last.skipped > 0 { values.append(SummaryValue("mpi/skipped", Double(last.skipped))) }
    if last.badPictures > 0 { values.append(SummaryValue("mpi/bad_pictures", Double(last.badPictures))) }
    return values
  }

  private func write(_ values: [SummaryValue], step: Int) {
    attempt {
      do { try opened(at: step).write(values, step: step) } catch {
        file = nil
        throw error
      }
    }
  }

  private func opened(at step: Int) throws(FileError) -> EventFile {
    if let file { return file }
    let opened = try EventFile(in: folder, startingAt: step)
    file = opened
    return opened
  }

  private func attempt(_ body: () throws -> Void) {
    do { try body() } catch {
      let reason = (error as? FileError)?.reason ?? "\(error)"
      if !hasFailed {
        logger.warning("\(folder): points or pictures for TensorBoard are lost (\(reason)); the run goes on")
      }
      hasFailed = true
    }
  }
}
