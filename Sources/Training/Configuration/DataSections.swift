import COCO
import Foundation

extension DataSection {
  init(_ section: ConfigurationSection) throws {
    samplesPerGPU = try section.optional("samples_per_gpu")
    try section.check((samplesPerGPU ?? 1) > 0, "samples_per_gpu", expected: "a number from 1 on")
    if let older: Int = try section.optional("imgs_per_gpu") {
      try section.check(older > 0, "imgs_per_gpu", expected: "a number from 1 on")
      let isOther = samplesPerGPU != nil && older != samplesPerGPU
      section.notice(
        "imgs_per_gpu",
        "is the older name of 'samples_per_gpu'" + (isOther ? ", and is used in its stead, as mmdetection does" : ""))
      samplesPerGPU = older
    }
    try section.read("workers_per_gpu", into: &workersPerGPU)
    try section.check(workersPerGPU >= 0, "workers_per_gpu", expected: "a number from 0 on")
    section.ignore("persistent_workers", "pin_memory", because: "images are prepared by threads of this program")
    train = try section.requiredSection("train") { try DatasetConfiguration($0, isForTraining: true) }
    val = try section.section("val") { try DatasetConfiguration($0, isForTraining: false) }
    test = try section.section("test") { try DatasetConfiguration($0, isForTraining: false) }
  }
}

extension DataSection {
  mutating func usePictureRules(_ rules: PictureRules) {
    train.pictureRules = rules
    val?.pictureRules = rules
    test?.pictureRules = rules
  }
}

extension DatasetConfiguration {
  /// - Parameter isForTraining: a test pipeline wraps its steps in `MultiScaleFlipAug`.
  init(_ section: ConfigurationSection, isForTraining: Bool) throws {
    self.init()
    _ = try section.type("CocoDataset")
    for key in ["ann_file", "img_prefix"] {
      guard let several = section.node(key), several.elements != nil else { continue }
      throw section.error(
        key, "is a list, \(several.summary): several files in one data set are not supported yet",
        hint: "put them into one file, with ids of their own, and pictures below one img_prefix")
    }
    annFile = try section.required("ann_file")
    try section.read("img_prefix", into: &imgPrefix)
    if let root: String = try section.optional("data_root") {
      annFile = Self.join(root, annFile)
      imgPrefix = Self.join(root, imgPrefix)
    }
    classes = try Self.classes(section)
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
}
