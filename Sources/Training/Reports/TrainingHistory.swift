import Foundation

/// What the `<time>.log.json` files of a work directory tell of a training: its steps and its evaluations, in order.
///
/// A run that was resumed has several files. What a later one tells takes the place of all that earlier ones tell of the same
/// steps and of later ones, which were never taken by the model that went on.
package struct TrainingHistory {
  /// A line: numbers under mmdetection's names. Those that are not finite are in the files as null, and missing here.
  package struct Entry: Equatable {
    package let epoch: Int
    /// In the epoch, or in the run where it counts iterations.
    package let iteration: Int
    package let values: [String: Double]
    /// The names of those that were not finite.
    let notFinite: [String]
  }

  /// A process that trained: one file.
  package struct Run: Equatable {
    /// The name of its file.
    package let file: String
    /// What it ran on, as the file says; nil where it doesn't.
    package let environment: String?
    /// Its first step; nil where it took none.
    package let first: Place?
  }

  /// A step of a training.
  package struct Place: Comparable {
    package let epoch: Int
    package let iteration: Int

    package static func < (one: Place, other: Place) -> Bool {
      (one.epoch, one.iteration) < (other.epoch, other.iteration)
    }
  }

  package private(set) var steps: [Entry] = []
  package private(set) var evaluations: [Entry] = []
  package private(set) var runs: [Run] = []
  /// What could not be read, each a sentence.
  package private(set) var notices: [String] = []
  /// Whether lines name the epoch and the iteration in it, else the iteration of the run.
  package let countsEpochs: Bool

  /// - Parameter countsEpochs: nil: told by the lines themselves, where the counts begin anew.
  package init(in workDir: String, countsEpochs: Bool? = nil) {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: workDir)) ?? [])
      .filter { $0.hasSuffix(".log.json") && !$0.hasPrefix(".") }.sorted()
    let files = names.map { LogFileContent(name: $0, FileManager.default.contents(atPath: "\(workDir)/\($0)")) }
    self.countsEpochs = countsEpochs ?? files.contains(where: \.beginsAnew)
    for file in files {
      notices += file.notices
      add(file)
    }
  }

  private mutating func add(_ file: LogFileContent) {
    if let start = file.start ?? file.evaluations.first.map({ evaluationPlace($0, isBefore: true) }) {
      steps.removeAll { $0.place > start }
      evaluations = evaluations.filter { evaluationPlace($0, isBefore: false) <= start }
    }
    steps += file.steps
    evaluations += file.evaluations
    runs.append(Run(file: file.name, environment: file.environment, first: file.steps.first?.place))
  }

  /// An evaluation follows its epoch's last step; it names the number of pictures in the iteration's stead.
  private func evaluationPlace(_ entry: Entry, isBefore: Bool) -> Place {
    let iteration = countsEpochs ? Int.max - 1 : entry.iteration
    return Place(epoch: entry.epoch, iteration: isBefore ? iteration - 1 : iteration)
  }

  // MARK: Curves

  /// All names of numbers of the steps: the losses first, the whole loss before its parts.
  package var names: [String] {
    let all = Set(steps.flatMap(\.values.keys))
    return all.sorted { ($0 != "loss" ? 1 : 0, $0) < ($1 != "loss" ? 1 : 0, $1) }
  }

  /// What the horizontal axis counts.
  package var unit: String { countsEpochs ? "epochs" : "iterations" }

  /// - Parameter iterationsPerEpoch: nil where it isn't known: the largest number that a line names.
  package func curve(_ name: String, iterationsPerEpoch: Int? = nil) -> [SIMD2<Double>] {
    let length = max(iterationsPerEpoch ?? 0, steps.map(\.iteration).max() ?? 1, 1)
    return steps.compactMap { entry in
      let place = position(entry.place, of: length)
      guard let value = entry.values[name] else {
        return entry.notFinite.contains(name) ? SIMD2(place, .nan) : nil
      }
      return SIMD2(place, value)
    }
  }

  /// Of a number of the evaluations.
  package func evaluationCurve(_ name: String) -> [SIMD2<Double>] {
    evaluations.compactMap { entry in
      entry.values[name].map { SIMD2(Double(countsEpochs ? entry.epoch : entry.iteration), $0) }
    }
  }

  /// Where runs after the first began, as far as steps of before are left.
  package func resumptions(iterationsPerEpoch: Int? = nil) -> [Double] {
    let length = max(iterationsPerEpoch ?? 0, steps.map(\.iteration).max() ?? 1, 1)
    guard let first = steps.first?.place else { return [] }
    return runs.compactMap(\.first).filter { $0 > first }.map { position($0, of: length) }
  }

  private func position(_ place: Place, of length: Int) -> Double {
    countsEpochs ? Double(place.epoch - 1) + Double(place.iteration) / Double(length) : Double(place.iteration)
  }

  /// How many numbers of a name were not finite.
  package func countNotFinite(_ name: String) -> Int { steps.count { $0.notFinite.contains(name) } }
}

extension TrainingHistory.Entry {
  var place: TrainingHistory.Place { TrainingHistory.Place(epoch: epoch, iteration: iteration) }
}

/// The lines of one file.
private struct LogFileContent {
  let name: String
  private(set) var steps: [TrainingHistory.Entry] = []
  private(set) var evaluations: [TrainingHistory.Entry] = []
  private(set) var environment: String?
  private(set) var notices: [String] = []

  init(name: String, _ data: Data?) {
    self.name = name
    guard let data else {
      notices = ["\(name) can't be read: it is left out"]
      return
    }
    let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    var damaged: [Int] = []
    for (index, line) in lines.enumerated() where !line.isEmpty {
      if let fields = try? JSONDecoder().decode([String: LogValue].self, from: Data(line)) {
        add(fields)
      } else {
        damaged.append(index + 1)
      }
    }
    if damaged == [lines.count] {
      notices = ["\(name): the last line is cut off, as where a run was killed while it wrote: it is left out"]
    } else if let first = damaged.first {
      let count = damaged.count == 1 ? "line \(first) is" : "\(damaged.count) lines are"
      notices = ["\(name): \(count) no JSON (the first is line \(first)) and left out"]
    }
  }

  private mutating func add(_ fields: [String: LogValue]) {
    if case .text(let text) = fields["env_info"] { environment = text }
    guard case .text(let mode) = fields["mode"], case .number(let epoch) = fields["epoch"],
      case .number(let iteration) = fields["iter"], let epoch = Int(exactly: epoch),
      let iteration = Int(exactly: iteration)
    else { return }
    var (values, notFinite): ([String: Double], [String]) = ([:], [])
    for (name, value) in fields where !["mode", "epoch", "iter"].contains(name) {
      switch value {
      case .number(let number): values[name] = number
      case .null: notFinite.append(name)
      case .text, .other: break
      }
    }
    let entry = TrainingHistory.Entry(epoch: epoch, iteration: iteration, values: values, notFinite: notFinite)
    if mode == "train" { steps.append(entry) } else if mode == "val" { evaluations.append(entry) }
  }

  /// The step before its first one: a line is of all the steps since the line before.
  var start: TrainingHistory.Place? {
    guard let first = steps.first else { return nil }
    let next = steps.dropFirst().first.map { $0.epoch == first.epoch ? $0.iteration - first.iteration : 1 } ?? 1
    return TrainingHistory.Place(epoch: first.epoch, iteration: max(0, first.iteration - max(1, next)))
  }

  /// Whether a later epoch has a smaller number.
  var beginsAnew: Bool {
    zip(steps, steps.dropFirst()).contains { $0.epoch < $1.epoch && $0.iteration >= $1.iteration }
  }
}

/// What a log says under a name.
private enum LogValue: Decodable {
  case number(Double)
  case text(String)
  case null
  case other

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else if let text = try? container.decode(String.self) {
      self = .text(text)
    } else {
      self = .other
    }
  }
}
