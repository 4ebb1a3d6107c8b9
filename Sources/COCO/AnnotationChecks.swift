/// What holds between the parts of an annotation file.
extension AnnotationFile {
  /// Why a `file_name` can't be used, or nil: it must stay inside the image folder.
  static func fault(ofFileName name: String) -> String? {
    if name.isEmpty { return "is empty" }
    if name.utf8.contains(0) { return "holds a NUL character" }
    if name.hasPrefix("/") { return "is an absolute path; a path inside the image folder is expected" }
    if name.contains("://") { return "is a URL; pictures are read from files only" }
    if name.hasPrefix("..\\") || name.contains("\\..\\") { return "leaves the image folder" }
    var depth = 0
    for part in name.split(separator: "/") where part != "." {
      depth += part == ".." ? -1 : 1
      if depth < 0 { return "leaves the image folder" }
    }
    return depth == 0 ? "names no file" : nil
  }

  /// Ids are unique where they are referred to, and what is referred to is there.
  mutating func checkReferences() throws {
    guard !images.isEmpty else { throw COCOError(at: path, "'images' is empty: there is nothing to work on") }
    guard !categories.isEmpty else { throw COCOError(at: path, "'categories' is empty: there is nothing to detect") }
    var fileNames: [Int64: String] = [:]
    for image in images {
      if let other = fileNames.updateValue(image.fileName, forKey: image.id) {
        throw COCOError(at: path, "two images have the id \(image.id): \"\(other)\" and \"\(image.fileName)\"")
      }
    }
    var names: [Int64: String] = [:]
    for category in categories {
      if let other = names.updateValue(category.name, forKey: category.id) {
        throw COCOError(at: path, "two categories have the id \(category.id): '\(other)' and '\(category.name)'")
      }
    }
    for annotation in annotations {
      guard fileNames[annotation.imageID] != nil else {
        throw unknown(annotation, "image \(annotation.imageID)", "images", "\(images.count) images")
      }
      guard names[annotation.categoryID] != nil else {
        throw unknown(annotation, "category \(annotation.categoryID)", "categories", "\(categories.count) categories")
      }
    }
    warnAboutRepetitions()
  }

  private func unknown(_ annotation: Annotation, _ what: String, _ section: String, _ count: String) -> COCOError {
    COCOError(at: path, "annotation \(annotation.id) names \(what), which is not in '\(section)' (\(count))")
  }

  private mutating func warnAboutRepetitions() {
    if annotations.isEmpty { warnings.append("'annotations' is empty: there is nothing to train on") }
    if let id = Self.repeated(annotations.map(\.id)) { warnings.append("annotation id \(id) is used more than once") }
    if let name = Self.repeated(images.map(\.fileName)) {
      warnings.append("\"\(name)\" is listed as more than one image")
    }
    if let name = Self.repeated(categories.map(\.name)) {
      warnings.append("more than one category has the name '\(name)'")
    }
  }

  private static func repeated<Element: Hashable>(_ elements: [Element]) -> Element? {
    var seen: Set<Element> = []
    return elements.first { !seen.insert($0).inserted }
  }
}
