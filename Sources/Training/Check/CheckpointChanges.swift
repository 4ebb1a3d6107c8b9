import COCO
import Primitives

/// What is other than where a checkpoint was written.
struct CheckpointChanges {
  /// A value of the configuration; nil where it was not, or is no longer, written.
  struct Setting: Equatable {
    let key: String
    let before: String?
    let now: String?
  }

  let path: String
  /// Who made it, and where it stands.
  let origin: String
  /// What reading it said.
  let notices: [String]
  let classesBefore: [String]
  let classes: [String]
  /// The numbers of images; nil where the checkpoint doesn't say it.
  let imagesBefore: Int?
  let images: Int
  /// Whether they are the same images, by their ids.
  let hasSameImages: Bool
  /// nil where the checkpoint doesn't say a configuration that can be read here.
  let settings: [Setting]?

  /// - Throws: `CheckpointError`.
  init(reading path: String, _ read: ReadConfiguration, _ dataset: CocoDataset) throws {
    let (checkpoint, notices) = try Checkpoint.weights(reading: path)
    (self.path, self.notices) = (path, notices)
    origin = "\(checkpoint.producer), epoch \(checkpoint.epoch), iteration \(checkpoint.iteration)"
    (classesBefore, classes) = (checkpoint.classes, dataset.classes)
    let before = DataIdentity(checkpoint.progress)
    let hash = DataIdentity.imagesHash(of: dataset)
    (imagesBefore, images) = (before?.images, dataset.images.count)
    hasSameImages = before?.images == dataset.images.count && before?.imagesHash == hash
    settings = (try? ReadConfiguration(text: checkpoint.configuration, name: path)).map {
      Self.differences(of: $0.leaves, and: read.leaves)
    }
  }

  /// What changes nothing of what is learnt: where things are written, what is measured, how fast it goes.
  private static let indifferent = [
    "work_dir", "load_from", "resume_from", "log_config", "checkpoint_config", "evaluation", "data.val", "data.test",
    "data.workers_per_gpu", "workflow", "log_level", "dist_params", "mpi.threads_per_rank",
    "mpi.weights_dir", "mpi.stall_timeout", "mpi.check_interval", "mpi.check_pictures", "mpi.async_save",
    "mpi.save_failures", "mpi.inject", "mpi.eval_area_ranges", "mpi.max_bad_pictures",
  ]

  static func differences(
    of before: [(key: String, value: String)], and now: [(key: String, value: String)]
  ) -> [Setting] {
    func matters(_ key: String) -> Bool { !indifferent.contains { key == $0 || key.hasPrefix("\($0).") } }
    func table(_ leaves: [(key: String, value: String)]) -> [String: String] {
      Dictionary(leaves.filter { $0.value != "null" }.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    }
    let (old, new) = (table(before), table(now))
    return Set(old.keys).union(new.keys).filter(matters).sorted().compactMap { key in
      old[key] == new[key] ? nil : Setting(key: key, before: old[key], now: new[key])
    }
  }

  // MARK: Text

  private static let shownCount = 20

  var lines: [String] {
    var lines = ["checkpoint \(path): \(origin)"] + notices
    switch ClassMatch(file: classesBefore, run: classes) {
    case .same: lines.append("classes: the same")
    case .unnamed: lines.append("classes: the file names none")
    case .reordered:
      lines.append("classes: in another order, \(Self.list(classesBefore)), now \(Self.list(classes))")
    case .different:
      lines.append("warning: classes: they were \(Self.list(classesBefore)), now they are \(Self.list(classes))")
    }
    if let imagesBefore { lines.append(imagesLine(imagesBefore)) }
    guard let settings else { return lines + ["settings: the file has no configuration that can be read here"] }
    if settings.isEmpty { lines.append("settings: the same, as far as they matter to what is learnt") }
    for setting in settings.prefix(Self.shownCount) {
      lines.append("\(setting.key): was \(setting.before ?? "not there"), is \(setting.now ?? "not there")")
    }
    if settings.count > Self.shownCount { lines.append("… and \(settings.count - Self.shownCount) more settings") }
    return lines
  }

  private func imagesLine(_ before: Int) -> String {
    if hasSameImages { return "data.train: the same \(images) images" }
    return before == images
      ? "warning: data.train: \(images) images as before, but others, by their ids"
      : "warning: data.train: it had \(before) images, and has \(images)"
  }

  private static func list(_ names: [String]) -> String {
    FirstFew.counted(names, most: 10)
  }

  // MARK: JSON

  var json: JSON {
    .object([
      ("path", .text(path)), ("origin", .text(origin)), ("notices", .array(notices.map(JSON.text))),
      ("classes_before", .array(classesBefore.map(JSON.text))), ("classes", .array(classes.map(JSON.text))),
      ("images_before", imagesBefore.map(JSON.integer) ?? .null), ("images", .integer(images)),
      ("same_images", imagesBefore == nil ? .null : .boolean(hasSameImages)),
      ("settings", settings.map { .array($0.map(\.json)) } ?? .null),
    ])
  }
}

extension CheckpointChanges.Setting {
  fileprivate var json: JSON {
    .object([
      ("key", .text(key)), ("before", before.map(JSON.text) ?? .null), ("now", now.map(JSON.text) ?? .null),
    ])
  }
}
