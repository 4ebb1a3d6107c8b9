/// What some steps were like in the mean. Steps that were not taken count for nothing.
struct StepMeans {
  /// The last step, taken or not.
  let last: MetricsLog.Step
  /// The losses and, where any step has one, `grad_norm`.
  let terms: [(name: String, value: Double)]
  let seconds: Double
  let dataSeconds: Double
  /// nil in a world of one.
  let sync: (waited: Double, hidden: Double, imbalance: Double)?

  /// nil where no step was taken.
  init?(_ steps: some BidirectionalCollection<MetricsLog.Step>) {
    let taken = steps.filter(\.isTaken)
    guard let last = steps.last, !taken.isEmpty else { return nil }
    func mean(_ value: (MetricsLog.Step) -> Double) -> Double {
      taken.reduce(0) { $0 + value($1) } / Double(taken.count)
    }
    var terms = last.losses.named.enumerated().map { index, term in
      (name: term.name, value: mean { $0.losses.named[index].value })
    }
    let norms = taken.compactMap(\.gradNorm)
    if !norms.isEmpty { terms.append((name: "grad_norm", value: norms.reduce(0, +) / Double(norms.count))) }
    (self.last, self.terms) = (last, terms)
    (seconds, dataSeconds) = (mean(\.seconds), mean(\.dataSeconds))
    sync = last.sync.map { _ in
      (
        waited: mean { $0.sync?.waitedSeconds ?? 0 }, hidden: mean { $0.sync?.hiddenShare ?? 0 },
        imbalance: mean { $0.sync?.imbalance ?? 1 }
      )
    }
  }
}
