import COCO
import Foundation

extension DatasetConfiguration {
  /// `data.train`: a data set, or several of them in mmdetection's wrappers.
  static func train(of data: ConfigurationSection) throws -> DatasetConfiguration {
    var reader = DatasetReader(isForTraining: true)
    let arrangement: DatasetArrangement =
      if data.node("train")?.elements != nil {
        .concatenation(try data.sections("train") { try reader.arrangement($0) } ?? [])
      } else {
        try data.requiredSection("train") { try reader.arrangement($0) }
      }
    var configuration = try reader.configuration(data, "train")
    configuration.arrangement = arrangement
    return configuration
  }

  /// `data.val` or `data.test`.
  static func measured(_ key: String, of data: ConfigurationSection) throws -> DatasetConfiguration? {
    var reader = DatasetReader(isForTraining: false)
    return try data.section(key) { section in
      let type: String = try section.optional("type") ?? ""
      guard !DatasetReader.wrappers.contains(type) else {
        throw section.error("type", "is '\(type)', but \(DatasetReader.oneByOne)", hint: DatasetReader.remedy(key))
      }
      _ = try reader.dataset(section)
      return try reader.configuration(data, key)
    }
  }
}

/// Reads data sets and the wrappers around them.
private struct DatasetReader {
  static let oneByOne = "data sets are measured one by one"
  static func remedy(_ key: String) -> String {
    "name one here, and the others in turn by 'test' with --cfg-options data.\(key).ann_file=…"
  }
  static let wrappers = ["RepeatDataset", "ConcatDataset", "ClassBalancedDataset"]
  private static let types = ["CocoDataset", "CityscapesDataset", "VOCDataset"]
  /// More make an epoch of more images than there are numbers for.
  private static let mostRepeats = 10_000

  let isForTraining: Bool
  /// What all data sets have in common, and the place of the first.
  private var common: DatasetConfiguration?
  private var sources: [AnnotationSource] = []

  init(isForTraining: Bool) { self.isForTraining = isForTraining }

  /// Of all data sets that were read.
  func configuration(_ section: ConfigurationSection, _ key: String) throws -> DatasetConfiguration {
    guard var configuration = common, !sources.isEmpty else {
      throw section.error(key, "names no data set")
    }
    configuration.sources = sources
    return configuration
  }

  mutating func arrangement(_ section: ConfigurationSection) throws -> DatasetArrangement {
    switch try section.optional("type") ?? "" {
    case "RepeatDataset":
      let times: Int = try section.required("times")
      try section.check(
        (1...Self.mostRepeats).contains(times), "times", expected: "a number from 1 to \(Self.mostRepeats)")
      return .repetition(try inner(section), times: times)
    case "ClassBalancedDataset":
      let threshold: Double = try section.required("oversample_thr")
      try section.check(threshold >= 0 && threshold <= 1, "oversample_thr", expected: "a number from 0 to 1")
      return .classBalance(try inner(section), oversampleThr: threshold)
    case "ConcatDataset":
      section.ignore("separate_eval", because: "it is about measuring, and this is for training")
      let parts = try section.sections("datasets") { try arrangement($0) } ?? []
      guard !parts.isEmpty else { throw section.missing("datasets", expected: "a list of data sets") }
      return .concatenation(parts)
    default: return try dataset(section)
    }
  }

  /// `dataset`, which may be a list.
  private mutating func inner(_ section: ConfigurationSection) throws -> DatasetArrangement {
    guard section.node("dataset")?.elements != nil else {
      return try section.requiredSection("dataset") { try arrangement($0) }
    }
    return .concatenation(try section.sections("dataset") { try arrangement($0) } ?? [])
  }

  /// A data set, of one file or of a list of them.
  mutating func dataset(_ section: ConfigurationSection) throws -> DatasetArrangement {
    let type = try section.type(anyOf: Self.types + (isForTraining ? Self.wrappers : []))
    let files = try files(section)
    guard isForTraining || files.count == 1 else {
      throw section.error("ann_file", "is a list of \(files.count), but \(Self.oneByOne)", hint: Self.remedy("test"))
    }
    section.ignore("separate_eval", because: Self.oneByOne)
    var configuration = try DatasetConfiguration(section, type: type, isForTraining: isForTraining)
    if configuration.proposals != nil, files.count > 1 || type == "VOCDataset" {
      throw section.error(
        "proposal_file", "goes with one annotation file of COCO's format", hint: "name one file in 'ann_file'")
    }
    let format = try format(section, type, &configuration, files)
    if let common, common != configuration {
      throw section.error(
        "pipeline",
        "or another key differs from that of the first data set: those of a training share all but their files",
        hint: "give all of them the same 'classes', 'pipeline' and 'filter_empty_gt'")
    }
    common = configuration
    let places = files.map { file in
      let source = AnnotationSource(path: file.path, imgPrefix: file.imgPrefix, format: format)
      if let place = sources.firstIndex(of: source) { return place }
      sources.append(source)
      return sources.count - 1
    }
    return places.count == 1 ? .source(places[0]) : .concatenation(places.map(DatasetArrangement.source))
  }

  /// `ann_file` and `img_prefix`, each one or a list, below `data_root`.
  private func files(_ section: ConfigurationSection) throws -> [(path: String, imgPrefix: String)] {
    let paths: [String] = try list("ann_file", section) ?? [section.required("ann_file")]
    try section.check(!paths.isEmpty, "ann_file", expected: "at least one file")
    var prefixes: [String] = try list("img_prefix", section) ?? [""]
    if section.node("img_prefix")?.elements != nil || prefixes.count != 1 {
      try section.check(
        prefixes.count == paths.count, "img_prefix", expected: "as many as there are in 'ann_file', \(paths.count)")
    } else {
      prefixes = paths.map { _ in prefixes[0] }
    }
    guard let root: String = try section.optional("data_root") else { return Array(zip(paths, prefixes)) }
    return zip(paths, prefixes).map { (DatasetConfiguration.join(root, $0), DatasetConfiguration.join(root, $1)) }
  }

  private func list(_ key: String, _ section: ConfigurationSection) throws -> [String]? {
    guard let node = section.node(key) else { return nil }
    if node.elements != nil { return try section.required(key) }
    return [try section.required(key)]
  }

  private func format(
    _ section: ConfigurationSection, _ type: String, _ configuration: inout DatasetConfiguration,
    _ files: [(path: String, imgPrefix: String)]
  ) throws -> AnnotationSource.Format {
    guard type == "VOCDataset" else { return .coco }
    let minSize: Int? = try section.optional("min_size")
    try section.check(minSize ?? 0 >= 0, "min_size", expected: "a number from 0 on")
    if minSize != nil, !isForTraining {
      throw section.error("min_size", "is for training alone, as in mmdetection", hint: "leave it out")
    }
    for file in files where VOCYear(of: file.imgPrefix) == nil {
      throw section.error(
        "img_prefix",
        "is '\(file.imgPrefix)', expected a folder with VOC2007 or VOC2012 in its path, by which mmdetection tells the rules"
      )
    }
    return .voc(classes: configuration.classes ?? [], minSize: minSize)
  }
}

/// The years whose rules mmdetection tells apart, by the folder's name.
enum VOCYear {
  case voc2007, voc2012

  init?(of imgPrefix: String) {
    if imgPrefix.contains("VOC2007") {
      self = .voc2007
    } else if imgPrefix.contains("VOC2012") {
      self = .voc2012
    } else {
      return nil
    }
  }
}

extension DatasetConfiguration {
  /// All but its files.
  /// - Parameter isForTraining: a test pipeline wraps its steps in `MultiScaleFlipAug`.
  fileprivate init(_ section: ConfigurationSection, type: String, isForTraining: Bool) throws {
    self.init()
    classes = try Self.classes(section) ?? Self.classNames(of: type)
    leavesOutCrowdImages = type == "CityscapesDataset"
    try section.read("filter_empty_gt", into: &filterEmptyGt)
    if !isForTraining { section.ignore("filter_empty_gt", because: "images are left out in training alone") }
    var reader = PipelineReader(isForTraining: isForTraining)
    pipeline = try reader.read(section)
    collectsIgnored = reader.collected.contains("gt_bboxes_ignore")
    collectsLabels = reader.loadsLabels && reader.collected.contains("gt_labels")
    proposals = try reader.proposals(section, in: try section.optional("data_root") ?? "")
    try section.unsupported("seg_prefix")
    try section.only("test_mode", !isForTraining)
    section.ignore("samples_per_gpu", because: "images are tested one by one")
  }

  /// As mmdetection, only a relative path is put behind `data_root`.
  static func join(_ root: String, _ path: String) -> String {
    path.hasPrefix("/") || root.isEmpty ? path : root.hasSuffix("/") ? root + path : "\(root)/\(path)"
  }

  /// A list of names, or a file with one on each line.
  private static func classes(_ section: ConfigurationSection) throws -> [String]? {
    guard let node = section.node("classes") else { return nil }
    guard let file = String(configuration: node) else {
      let names: [String] = try section.required("classes")
      try section.check(!names.isEmpty, "classes", expected: "at least one name")
      try section.check(Set(names).count == names.count, "classes", expected: "each name once")
      return names
    }
    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
      throw section.error(
        "classes", "names the file '\(file)', which can't be read; expected a list or a file of names")
    }
    return text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty }
  }

  /// `CLASSES` of a type; nil: the categories of the file.
  private static func classNames(of type: String) -> [String]? {
    switch type {
    case "CityscapesDataset": ["person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"]
    case "VOCDataset":
      [
        "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog",
        "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
      ]
    default: nil
    }
  }
}
