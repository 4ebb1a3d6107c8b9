import Layers

/// How long a run is and when it evaluates: the `runner` and `evaluation` sections in iterations.
package struct RunPlan: Equatable {
  /// Of a run from the beginning.
  package let maxIterations: Int
  package let iterationsPerEpoch: Int
  private let runner: RunnerSection
  private let evaluation: EvaluationSection?
  /// Also where this run doesn't validate (`--no-validate`).
  private let configured: EvaluationSection?

  package init(_ configuration: RunConfiguration, iterationsPerEpoch: Int, validates: Bool) {
    self.iterationsPerEpoch = iterationsPerEpoch
    let byEpochs = configuration.runner.maxEpochs.map { $0 * iterationsPerEpoch } ?? .max
    maxIterations = min(byEpochs, configuration.runner.maxIters ?? .max)
    (runner, configured) = (configuration.runner, configuration.evaluation)
    evaluation = validates ? configuration.evaluation : nil
  }

  /// Whether nothing is left to train. Epochs are counted as such: in a run that was resumed on another data set they had
  /// another length.
  package func isDone(_ position: Position) -> Bool {
    position.epoch >= runner.maxEpochs ?? .max || position.iteration >= runner.maxIters ?? .max
  }

  /// How many iterations a run that goes on at a position will have at its end.
  /// - Parameter inEpoch: those that are done of its epoch.
  package func maxIterations(from position: Position, inEpoch done: Int) -> Int {
    let left = runner.maxEpochs.map { max(0, $0 - position.epoch) * iterationsPerEpoch - done }
    return min(left.map { position.iteration + max(0, $0) } ?? .max, runner.maxIters ?? .max)
  }

  var maxEpochs: Int { (maxIterations + iterationsPerEpoch - 1) / iterationsPerEpoch }

  var evaluates: Bool { evaluation != nil }

  /// Whether the validation set is due now: after every `interval` epochs (or iterations), counted from `start`.
  package func evaluationIsDue(_ position: Position, epochIsDone: Bool) -> Bool {
    evaluation?.isDue(position, epochIsDone: epochIsDone) ?? false
  }

  /// Whether it is due at a position by the configuration, also where this run doesn't validate.
  package func configurationEvaluates(at position: Position) -> Bool {
    configured?.isDue(position, epochIsDone: position.images == 0) ?? false
  }

  /// Whether it is due before the first step: where the run begins at `start` or later, if it were due one epoch (or
  /// iteration) later (mmdetection's `EvalHook.before_train_epoch`).
  package func evaluationIsDueAtFirst(_ position: Position) -> Bool {
    guard let evaluation, let start = evaluation.start else { return false }
    let done = evaluation.byEpoch ? position.epoch : position.iteration
    return done >= start && evaluation.isDue(after: done + 1) && (!evaluation.byEpoch || position.images == 0)
  }
}

extension EvaluationSection {
  fileprivate func isDue(_ position: Position, epochIsDone: Bool) -> Bool {
    guard byEpoch else { return isDue(after: position.iteration) }
    return epochIsDone && isDue(after: position.epoch)
  }

  /// mmdetection's `EvalHook.evaluation_flag`.
  fileprivate func isDue(after done: Int) -> Bool {
    done >= start ?? 0 && (done - (start ?? 0)) % interval == 0
  }
}
