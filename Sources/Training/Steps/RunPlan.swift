import Layers

/// How long a run is and when it evaluates: the `runner` and `evaluation` sections in iterations.
struct RunPlan: Equatable {
  let maxIterations: Int
  let iterationsPerEpoch: Int
  private let evaluation: EvaluationSection?

  init(_ configuration: RunConfiguration, iterationsPerEpoch: Int, validates: Bool) {
    self.iterationsPerEpoch = iterationsPerEpoch
    let byEpochs = configuration.runner.maxEpochs.map { $0 * iterationsPerEpoch } ?? .max
    maxIterations = min(byEpochs, configuration.runner.maxIters ?? .max)
    evaluation = validates ? configuration.evaluation : nil
  }

  var maxEpochs: Int { (maxIterations + iterationsPerEpoch - 1) / iterationsPerEpoch }

  var evaluates: Bool { evaluation != nil }

  /// Whether the validation set is due now: after every `interval` epochs (or iterations).
  func evaluationIsDue(_ position: Position, epochIsDone: Bool) -> Bool {
    guard let evaluation else { return false }
    if evaluation.byEpoch {
      return epochIsDone && position.epoch >= evaluation.start ?? 0 && position.epoch % evaluation.interval == 0
    }
    return position.iteration >= evaluation.start ?? 0 && position.iteration % evaluation.interval == 0
  }
}
