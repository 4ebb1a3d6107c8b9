import Primitives
import Tensors

/// Puts the arrays of a file into a model, by name, in PyTorch's layouts.
package struct WeightImport {
  /// What the file has to have.
  package enum Demand {
    /// Every parameter in its shape, and the run's classes: `--resume`, `test`, `predict`.
    case whole
    /// What fits: layers of other classes start fresh (`--load-from`).
    case fitting
    /// The backbone's parameters, whether the file holds them alone or a whole detector (`model.pretrained`).
    case backbone
  }

  /// The file, for messages.
  let path: String
  let checkpoint: Checkpoint
  /// The names of the run's classes, in its order.
  let classes: [String]
  let demand: Demand

  package init(path: String, checkpoint: Checkpoint, classes: [String], demand: Demand) {
    (self.path, self.checkpoint, self.classes, self.demand) = (path, checkpoint, classes, demand)
  }

  private var match: ClassMatch { ClassMatch(file: checkpoint.classes, run: classes) }

  /// Takes over the weights.
  /// - Returns: what the user should know, each a sentence.
  /// - Throws: `RunError` where the file does not meet the demand.
  package func load(into store: ParameterStore) throws -> [String] {
    try checkClasses()
    let arrays = named(for: store)
    let parameters = demand == .backbone ? store.parameters.filter { $0.name.hasPrefix("backbone.") } : store.parameters
    var (missing, fresh): ([String], [String]) = ([], [])
    var used: Set<String> = []
    for parameter in parameters {
      guard let array = arrays[parameter.name] else {
        missing.append(parameter.name)
        continue
      }
      used.insert(parameter.name)
      if startsFresh(parameter, array) {
        fresh.append(
          "\(path): '\(parameter.name)' starts fresh, as its classes are others: \(array.shape) in the file, "
            + "\(parameter.shape) here")
      } else {
        try take(array, for: parameter) { parameter.importValues($0, into: parameter.values) }
      }
    }
    try checkMissing(missing, found: used.count)
    var unexpected = arrays.keys.filter { !used.contains($0) }
    if checkpoint.holdsAverages {
      let trained = Set(store.parameters.map { Checkpoint.averagedName($0.name) })
      unexpected = unexpected.filter { !trained.contains($0) }
    }
    return notices(missing: missing, unexpected: unexpected.sorted()) + fresh
      + orderNotices(used, store)
  }

  /// Takes over what the optimiser of a run that goes on has kept, and the averages.
  /// - Parameter optimizer: the name of the run's.
  /// - Returns: what the user should know, each a sentence.
  /// - Throws: `RunError` where it was another optimiser, or an array is missing or of another shape.
  func loadStates(into store: ParameterStore, optimizer: String) throws -> [String] {
    let kept = store.states.filter { $0 != .average }
    guard checkpoint.optimizer == optimizer else { throw otherOptimizer("with \(checkpoint.optimizer)", optimizer) }
    let states = checkpoint.states.filter { $0.value.contains { $0.values.contains { $0 != 0 } } }.keys
    if let state = kept.first(where: { checkpoint.states[$0] == nil }) {
      throw otherOptimizer("without \(state.rawValue)", "\(optimizer) with it")
    }
    if let state = states.first(where: { !kept.contains($0) }) {
      throw otherOptimizer("with \(state.rawValue)", "\(optimizer) without it")
    }
    for state in kept {
      let arrays = named(checkpoint.states[state] ?? [])
      for parameter in store.trainable {
        guard let array = arrays[parameter.name] else { throw missingError(parameter.name) }
        try take(array, for: parameter) { parameter.importValues($0, into: parameter.state(state)) }
      }
    }
    return try loadAverages(into: store)
  }

  private func otherOptimizer(_ found: String, _ now: String) -> RunError {
    RunError(
      """
      \(path): error: it was trained \(found), this run has \(now): a run can't change its optimizer on the way; keep \
      'optimizer' as it was, or start anew from the weights with --load-from
      """, exitCode: .configuration)
  }

  /// The values that were taken over are the averages where the file has such.
  private func loadAverages(into store: ParameterStore) throws -> [String] {
    let keeps = store.states.contains(.average)
    guard checkpoint.holdsAverages else {
      guard keeps else { return [] }
      store.startAverages()
      return ["\(path) holds no running means: they begin with its weights (EMAHook)"]
    }
    if keeps { store.startAverages() }
    let arrays = named(checkpoint.model)
    for parameter in store.trainable {
      let name = Checkpoint.averagedName(parameter.name)
      guard let array = arrays[name] else { throw missingError(name) }
      try take(array, for: parameter) { parameter.importValues($0, into: parameter.values) }
    }
    return keeps ? [] : ["\(path) holds running means, which are left behind: this run has no EMAHook"]
  }

  private func named(_ arrays: [Checkpoint.Array]) -> [String: Checkpoint.Array] {
    Dictionary(arrays.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// By the model's names. Those of a bare backbone lack the `backbone.` before them.
  private func named(for store: ParameterStore) -> [String: Checkpoint.Array] {
    let names = Set(store.parameters.map(\.name))
    let isBare =
      demand != .whole && !checkpoint.model.contains { names.contains($0.name) }
      && checkpoint.model.contains { names.contains("backbone.\($0.name)") }
    let pairs = checkpoint.model.map { (isBare ? "backbone.\($0.name)" : $0.name, $0) }
    return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
  }

  private func startsFresh(_ parameter: Parameter, _ array: Checkpoint.Array) -> Bool {
    guard demand == .fitting, parameter.classRows != nil else { return false }
    return match == .different || array.shape != parameter.shape
  }

  private func take(_ array: Checkpoint.Array, for parameter: Parameter, _ use: ([Float]) -> Void) throws {
    guard array.shape == parameter.shape else {
      throw RunError(
        """
        \(path): error: '\(parameter.name)' has shape \(array.shape), the model expects \(parameter.shape); \
        was it made with another configuration?
        """, exitCode: .badData)
    }
    if case .reordered(let order) = match, let rows = parameter.classRows {
      use(rows.reordered(array.values, order))
    } else {
      use(array.values)
    }
  }

  // MARK: What does not fit

  /// - Throws: `RunError` where the file has to have the run's classes, and has others.
  func checkClasses() throws {
    guard demand == .whole, match == .different else { return }
    throw Self.otherClasses(path: path, file: checkpoint.classes, run: classes)
  }

  static func otherClasses(path: String, file: [String], run: [String]) -> RunError {
    RunError(
      """
      \(path): error: its classes are others than this run's. \(file.count) in the file: \(list(file)). \(run.count) \
      here: \(list(run)). Name the file's classes in 'classes' of each part of 'data', or start from its weights with \
      --load-from
      """, exitCode: .badData)
  }

  private func checkMissing(_ missing: [String], found: Int) throws {
    guard let first = missing.first else { return }
    guard demand != .whole else { throw missingError(first) }
    guard found == 0 else { return }
    throw RunError(
      """
      \(path): error: none of its \(checkpoint.model.count) arrays has a name of the model, whose first is '\(first)'; \
      was it made with another program?
      """, exitCode: .badData)
  }

  private func missingError(_ name: String) -> RunError {
    RunError("\(path): error: '\(name)' is missing; was it made with another configuration?", exitCode: .badData)
  }

  /// In mmcv's words.
  private func notices(missing: [String], unexpected: [String]) -> [String] {
    let unexpected =
      demand == .backbone ? unexpected.filter { $0.hasPrefix("backbone.") || !$0.contains(".") } : unexpected
    var lines: [String] = []
    if !unexpected.isEmpty {
      lines.append("\(path): unexpected key in source state_dict: \(Self.list(unexpected)): not used")
    }
    if !missing.isEmpty {
      lines.append("\(path): missing keys in source state_dict: \(Self.list(missing)): these start fresh")
    }
    return lines
  }

  /// Where rows were put into another order, or none is known.
  private func orderNotices(_ used: Set<String>, _ store: ParameterStore) -> [String] {
    guard store.parameters.contains(where: { $0.classRows != nil && used.contains($0.name) }) else { return [] }
    switch match {
    case .same, .different: return []
    case .unnamed where classes.isEmpty: return []
    case .unnamed:
      return ["\(path) does not name its classes: they are taken in this run's order, \(Self.list(classes))"]
    case .reordered:
      return [
        "\(path) has its classes in another order, \(Self.list(checkpoint.classes)): their rows are put into this "
          + "run's, \(Self.list(classes))"
      ]
    }
  }

  /// The first ten.
  private static func list(_ names: [String]) -> String {
    FirstFew.counted(names, most: 10)
  }
}
