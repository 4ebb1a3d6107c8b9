/// What training keeps of each trainable parameter beside its value and its gradient, in an arena of its own.
public enum ParameterState: String, CaseIterable, Codable, Sendable {
  /// SGD's.
  case momentum
  /// Adam's running mean of the gradients.
  case expAvg = "exp_avg"
  /// Adam's running mean of their squares.
  case expAvgSq = "exp_avg_sq"
  /// The largest of those means so far (`amsgrad`).
  case maxExpAvgSq = "max_exp_avg_sq"
  /// The running mean of the values (`EMAHook`).
  case average = "ema"

  /// For messages, before "of" and the parameter's name.
  public var words: String { self == .average ? "the average" : "the \(rawValue)" }
}
