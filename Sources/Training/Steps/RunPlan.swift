import Layers

/// How long a run is and when it evaluates: the `runner` and `evaluation` sections in iterations.
package struct RunPlan: Equatable {
  package let maxIterations: Int
  package let iterationsPerEpoch: Int
  private let evaluation: EvaluationSection?

  package init(_ configuration: RunConfiguration, iterationsPerEpoch: Int, validates: Bool) {
    self.iterationsPerEpoch = iterationsPerEpoch
    let byEpochs = configuration.runner.maxEpochs.map { $0 * iterationsPerEpoch } ?? .max
    maxIterations = min(byEpochs, configuration.runner.maxIters ?? .max)
    evaluation = validates ? configuration.evaluation : nil
  }

  var maxEpochs: Int { (maxIterations + iterationsPerEpoch - 1) / iterationsPerEpoch }

  var evaluates: Bool { evaluation != nil }

  /// Whether the validation set is due now: after every `interval` epochs (or iterations), counted from `start`.
  package func evaluationIsDue(_ position: Position, epochIsDone: Bool) -> Bool {
    guard let evaluation else { return false }
    guard evaluation.byEpoch else { return evaluation.isDue(after: position.iteration) }
    return epochIsDone && evaluation.isDue(after: position.epoch)
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
  /// mmdetection's `EvalHook.evaluation_flag`.
  fileprivate func isDue(after done: Int) -> Bool {
    done >= start ?? 0 && (done - (start ?? 0)) % interval == 0
  }
}
