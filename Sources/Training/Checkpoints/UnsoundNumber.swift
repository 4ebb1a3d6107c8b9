import Kernels
import Tensors

/// A number in the weights or states of a model with which no run can go on.
struct UnsoundNumber: Equatable, CustomStringConvertible {
  /// The largest magnitude of a weight. Those of detectors that were ever trained stay far below it (hundreds at most);
  /// beyond it float32 has too few digits left for an update of any useful rate. Statistics of norms and momenta may be
  /// larger, as squares and sums of gradients are: they only have to be finite.
  static let largestWeight: Float = 1e6

  let name: String
  /// Where it is no weight.
  let state: ParameterState?
  let value: Float

  var description: String {
    let place = state.map { "\($0.words) of '\(name)'" } ?? "'\(name)'"
    let number = value.isNaN ? "NaN" : value.isFinite ? "\(value)" : value < 0 ? "-infinity" : "infinity"
    guard value.isFinite else { return "\(number) in \(place)" }
    return "\(number) in \(place), where no detector has a weight beyond \(Int(Self.largestWeight))"
  }

  /// The first one in a checkpoint.
  init?(in checkpoint: Checkpoint) {
    let states = ParameterState.allCases.map { ($0, checkpoint.states[$0] ?? []) }
    for (state, arrays) in [(nil, checkpoint.model)] + states {
      for array in arrays {
        let limit = Self.limit(name: array.name, state)
        let found = Soundness.firstUnsound(array.values, count: array.values.count, limit: limit)
        guard let index = found else { continue }
        (name, self.state, value) = (array.name, state, array.values[index])
        return
      }
    }
    return nil
  }

  /// The first one in a model as it stands.
  init?(in store: ParameterStore) {
    for parameter in store.parameters {
      for state in [nil] + (parameter.isTrainable ? store.states : []) {
        let values = state.map(parameter.state) ?? parameter.values
        let limit = Self.limit(name: parameter.name, state)
        guard let index = Soundness.firstUnsound(values, count: parameter.count, limit: limit) else { continue }
        (name, self.state, value) = (parameter.name, state, values[index])
        return
      }
    }
    return nil
  }

  private static func limit(name: String, _ state: ParameterState?) -> Float {
    let isStatistic = name.hasSuffix(".running_mean") || name.hasSuffix(".running_var")
    let isWeight = (state == nil || state == .average) && !isStatistic
    return isWeight ? largestWeight : .greatestFiniteMagnitude
  }
}

extension Checkpoint {
  /// - Throws: `CheckpointError` (65) where it holds a number with which no run can go on.
  func requireSound(path: String) throws(CheckpointError) {
    guard let unsound = UnsoundNumber(in: self) else { return }
    throw CheckpointError(
      description: "\(path): error: it holds \(unsound): the training that wrote it had diverged; use an older one",
      exitCode: .badData)
  }

  /// What `convert` and `inspect` say of such numbers: they only pass them on.
  var soundnessNotices: [String] {
    UnsoundNumber(in: self).map { ["it holds \($0): neither training nor testing takes it"] } ?? []
  }
}
