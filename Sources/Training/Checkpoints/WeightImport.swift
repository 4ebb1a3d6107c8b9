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
    let parameters =
      demand == .backbone
      ? store.parameters.filter { $0.name.hasPrefix("backbone.") || Self.nameInBackbone(ofShared: $0.name) != nil }
      : store.parameters
    var (missing, fresh): ([String], [String]) = ([], [])
    var used: Set<String> = []
    for parameter in parameters {
      guard let name = source(of: parameter, among: arrays), let array = arrays[name] else {
        missing.append(parameter.name)
        continue
      }
      used.insert(name)
      if startsFresh(parameter, array) {
        fresh.append(
          "\(path): '\(parameter.name)' starts fresh, as its classes are others: \(array.shape) in the file, "
            + "\(parameter.shape) here")
      } else {
        try take(array, for: parameter) { parameter.importValues($0, into: parameter.values) }
      }
    }
    try checkMissing(missing, found: used.count)
    return notices(missing: missing, unexpected: arrays.keys.filter { !used.contains($0) }.sorted()) + fresh
      + orderNotices(used, store)
  }

  /// Takes over the momenta of a run that goes on.
  /// - Throws: `RunError` where one is missing or of another shape.
  func loadMomenta(into store: ParameterStore) throws {
    let arrays = Dictionary(checkpoint.momenta.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    for parameter in store.trainable {
      guard let array = arrays[parameter.name] else { throw missingError(parameter.name) }
      try take(array, for: parameter) { parameter.importValues($0, into: parameter.momentum) }
    }
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

  /// The array that a parameter is taken from. The last stage of a backbone may be a head's in the model (C4).
  private func source(of parameter: Parameter, among arrays: [String: Checkpoint.Array]) -> String? {
    if arrays[parameter.name] != nil { return parameter.name }
    guard demand == .backbone, let name = Self.nameInBackbone(ofShared: parameter.name) else { return nil }
    return arrays[name] == nil ? nil : name
  }

  /// Where a backbone of its own has a parameter of the shared head.
  private static func nameInBackbone(ofShared name: String) -> String? {
    let prefix = "roi_head.shared_head."
    return name.hasPrefix(prefix) ? "backbone.\(name.dropFirst(prefix.count))" : nil
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
