import Primitives
import Yams

/// A mistake in a configuration: the place, what was found and expected, the line with a caret, and a hint.
public struct ConfigurationError: ReportedError {
  public let description: String
  /// The configuration file or one of its `_base_` files could not be read (`EX_NOINPUT`), in place of a mistake in
  /// what is written there (`EX_CONFIG`).
  public let isMissingFile: Bool
  public var exitCode: ExitCode { isMissingFile ? .inputMissing : .configuration }
  public var scope: ErrorScope { .allRanks }

  init(_ place: ConfigurationPlace, _ message: String, hint: String? = nil, isMissingFile: Bool = false) {
    let (text, column) = Self.window(of: place)
    let caret = String(repeating: " ", count: column) + "^"
    description =
      "\(place.description): error: \(message)\n    \(text)\n    \(caret)" + (hint.map { " \($0)" } ?? "")
    self.isMissingFile = isMissingFile
  }

  /// The line of a place without its indentation, and the place's column in that. Of a long line, such as the only one
  /// of a JSON file, the part around the place.
  private static func window(of place: ConfigurationPlace) -> (text: String, column: Int) {
    let line = place.line <= place.source.lines.count ? place.source.lines[place.line - 1] : ""
    let text = line.drop { $0 == " " || $0 == "\t" }
    let column = max(0, place.column - 1 - (line.count - text.count))
    guard text.count > 160 else { return (String(text), column) }
    let start = max(0, min(column, text.count) - 60)
    let part = text.dropFirst(start).prefix(120)
    let (before, after) = (start > 0 ? "… " : "", start + part.count < text.count ? " …" : "")
    return (before + part + after, before.count + column - start)
  }

  /// A message about a whole file.
  init(file: String, _ message: String, isMissingFile: Bool = false) {
    description = "\(file): error: \(message)"
    self.isMissingFile = isMissingFile
  }

  /// What the YAML parser found.
  init(yaml error: YamlError, start: ConfigurationPlace) {
    func place(_ mark: Mark) -> ConfigurationPlace {
      ConfigurationPlace(source: start.source, line: mark.line, column: mark.column + start.column - 1)
    }
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      self.init(place(mark), "this is not YAML: \(problem)")
    case .duplicatedKeysInMapping(let keys, let context):
      self.init(place(context.mark), "key '\(keys.first ?? "")' stands twice in one mapping")
    default:
      self.init(file: start.source.name, "this is not YAML: \(error)")
    }
  }
}

/// The known word that `word` was probably meant to be: at most a `part`-th of its letters are wrong.
public func nearest(to word: String, among known: [String], part: Int) -> String? {
  let synonyms = otherNames.filter { known.contains($0.value) }.sorted { $0.key < $1.key }
  let candidates = known.map { (spelling: $0, key: $0) } + synonyms.map { (spelling: $0.key, key: $0.value) }
  let distances = candidates.map { ($0.key, editDistance(word.lowercased(), $0.spelling.lowercased())) }
  guard let (key, distance) = distances.min(by: { $0.1 < $1.1 }) else { return nil }
  return distance <= max(1, word.count / part) ? key : nil
}

/// Words that people coming from elsewhere try, and mmdetection's key for the same thing.
private let otherNames = [
  "learning_rate": "lr", "base_lr": "lr", "batch_size": "samples_per_gpu",
  "num_workers": "workers_per_gpu", "epochs": "max_epochs", "num_epochs": "max_epochs", "iters": "max_iters",
  "scheduler": "lr_config", "weights": "load_from", "resume": "resume_from", "steps": "step", "decay": "weight_decay",
  "train_dataset": "train", "annotations": "ann_file", "images": "img_prefix", "nms_thr": "nms",
  "output_dir": "work_dir",
]

/// The Levenshtein distance, over characters.
func editDistance(_ a: String, _ b: String) -> Int {
  let b = Array(b)
  var row = Array(0...b.count)
  for (i, character) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for j in b.indices {
      let substituted = diagonal + (character == b[j] ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
    }
  }
  return row[b.count]
}
