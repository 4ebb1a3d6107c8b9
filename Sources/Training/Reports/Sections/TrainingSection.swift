/// The curves of the training.
struct TrainingSection {
  private let history: TrainingHistory
  private let iterationsPerEpoch: Int?

  init(_ content: ReportContent) {
    (history, iterationsPerEpoch) = (content.history, content.checkpoint?.iterationsPerEpoch)
  }

  var section: PageSection {
    guard !history.runs.isEmpty else {
      return PageSection(
        "training", "Training", missing: "The work directory holds no <time>.log.json: there are no curves.")
    }
    guard !history.steps.isEmpty || !history.evaluations.isEmpty else {
      return PageSection(
        "training", "Training",
        [.notices(history.notices), "<p class=\"missing\">The logs hold no lines yet: there are no curves.</p>"])
    }
    let charts = [losses, accuracy, rate, precision, classPrecision, gradient, time, exchange].compactMap { $0 }
    let missing = history.evaluations.isEmpty ? ["Nothing has been measured during the training yet."] : []
    let dots =
      history.resumptions(iterationsPerEpoch: iterationsPerEpoch).isEmpty
      ? "" : Markup.paragraph("Dotted lines are where the run was resumed.")
    return PageSection(
      "training", "Training", [.notices(history.notices + notFinite + missing), dots, .charts(charts)])
  }

  /// From the beginning to the end of what is known, so that all charts have one horizontal axis.
  private var extent: ClosedRange<Double>? {
    let names = Set(history.evaluations.flatMap(\.values.keys))
    let places = history.curve("loss", iterationsPerEpoch: iterationsPerEpoch) + names.flatMap(history.evaluationCurve)
    guard let last = places.map(\.x).max() else { return nil }
    return 0...max(1, history.countsEpochs ? last.rounded(.up) : last)
  }

  private var notFinite: [String] {
    let counts = history.names.map { ($0, history.countNotFinite($0)) }.filter { $0.1 > 0 }
    guard !counts.isEmpty else { return [] }
    let list = counts.map { "\($0.0) \($0.1) times" }.joined(separator: ", ")
    return ["Some lines hold numbers that are not finite, which leave gaps: \(list)."]
  }

  private func chart(_ id: String, _ title: String, _ vertical: String, _ names: [String]) -> LineChart {
    let lines = names.map {
      LineChart.Line($0, history.curve($0, iterationsPerEpoch: iterationsPerEpoch), isStrong: $0 == "loss")
    }
    var chart = LineChart(
      id: "training-\(id)", title: title, horizontal: history.unit, vertical: vertical,
      lines: lines.filter { !$0.points.isEmpty })
    chart.marks = history.resumptions(iterationsPerEpoch: iterationsPerEpoch)
    chart.xRange = extent
    return chart
  }

  private func chart(_ id: String, _ title: String, _ vertical: String, _ isAmong: (String) -> Bool) -> Markup? {
    let names = history.names.filter(isAmong)
    return names.isEmpty ? nil : chart(id, title, vertical, names).markup
  }

  private var losses: Markup? { chart("loss", "Losses", "loss") { $0.contains("loss") } }
  private var rate: Markup? { chart("lr", "Learning rate", "learning rate") { $0 == "lr" } }
  private var gradient: Markup? { chart("gradient", "Norm of the gradient", "norm") { $0 == "grad_norm" } }
  private var time: Markup? {
    chart("time", "Time of an iteration", "seconds") { ["time", "data_time", "sync"].contains($0) }
  }

  private var accuracy: Markup? {
    let names = history.names.filter { $0 == "acc" || $0.hasSuffix(".acc") }
    guard !names.isEmpty else { return nil }
    var chart = chart("accuracy", "Accuracy of the sampled boxes", "%", names)
    // What matters is near the top.
    let least = chart.lines.flatMap(\.points).map(\.y).filter(\.isFinite).min() ?? 0
    chart.yRange = max(0, least - 2)...100
    chart.startsAtZero = false
    return chart.markup
  }

  private var exchange: Markup? {
    let points = history.curve("sync_hidden", iterationsPerEpoch: iterationsPerEpoch)
    guard !points.isEmpty else { return nil }
    var chart = chart("exchange", "Hidden part of the gradients' exchange", "part", ["sync_hidden"])
    chart.yRange = 0...1
    return chart.markup
  }

  private var precision: Markup? {
    let names = Set(history.evaluations.flatMap(\.values.keys)).sorted()
      .filter { !["lr", "bad_pictures"].contains($0) && !$0.hasSuffix("_precision") }
    return evaluationChart("ap", "Evaluations during the training", names.map { ($0, $0) })
  }

  private var classPrecision: Markup? {
    let ending = "_precision"
    let names = Set(history.evaluations.flatMap(\.values.keys)).filter { $0.hasSuffix(ending) }.sorted()
    // More could not be told apart.
    guard names.count <= 2 * PageStyle.colorCount else { return nil }
    return evaluationChart(
      "class-ap", "AP of each class during the training", names.map { ($0, String($0.dropLast(ending.count))) })
  }

  private func evaluationChart(_ id: String, _ title: String, _ names: [(key: String, shown: String)]) -> Markup? {
    let lines = names.map { LineChart.Line($0.shown, history.evaluationCurve($0.key).filter { $0.y >= 0 }) }
      .filter { !$0.points.isEmpty }
    guard !lines.isEmpty else { return nil }
    var chart = LineChart(
      id: "training-\(id)", title: title, horizontal: history.unit, vertical: "precision, recall", lines: lines)
    (chart.xRange, chart.showsPoints) = (extent, true)
    return chart.markup
  }
}
