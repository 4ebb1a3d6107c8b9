import Primitives

/// What holds between the parts of an annotation file.
extension AnnotationRecords {
  /// Why a `file_name` can't be used, or nil: it must stay inside the image folder.
  static func fault(ofFileName name: String) -> String? {
    if name.isEmpty { return "is empty" }
    let bytes = name.utf8
    if bytes.contains(0) { return "holds a NUL character" }
    if bytes.first == UInt8(ascii: "/") { return "is an absolute path; a path inside the image folder is expected" }
    if bytes.contains(UInt8(ascii: ":")), name.contains("://") {
      return "is a URL; pictures are read from files only"
    }
    if bytes.contains(UInt8(ascii: "\\")), name.hasPrefix("..\\") || name.contains("\\..\\") {
      return "leaves the image folder"
    }
    var depth = 0
    for part in bytes.split(separator: UInt8(ascii: "/")) where !part.elementsEqual(".".utf8) {
      depth += part.elementsEqual("..".utf8) ? -1 : 1
      if depth < 0 { return "leaves the image folder" }
    }
    return depth == 0 ? "names no file" : nil
  }

  /// The block, once ids are unique where they are referred to, and what is referred to is there.
  func checked(_ path: String) throws -> AnnotationBlock {
    var records = self
    try records.sortImageIdentifiers(path)
    return try records.linked(path)
  }

  /// Gives images whose ids are texts their final numbers.
  private mutating func sortImageIdentifiers(_ path: String) throws {
    if let form = identifiers.imageForm, let reference = identifiers.referenceForm, form != reference {
      let first = annotations[0]
      let (found, expected) =
        reference == .texts
        ? ("the string \(identifiers.images.identifier(first.imageID))", "a whole number of at most 64 bits")
        : ("\(first.imageID)", "a text")
      throw COCOError(
        at: path,
        "annotation \(identifier(of: first)): its 'image_id' is \(found); \(expected) is expected, as in 'images'")
    }
    guard !identifiers.images.texts.isEmpty else { return }
    let ranks = identifiers.images.sort()
    images = images.map {
      AnnotationFile.Image(id: ranks[Int($0.id)], fileName: $0.fileName, width: $0.width, height: $0.height)
    }
    for place in annotations.indices { annotations[place].imageID = ranks[Int(annotations[place].imageID)] }
  }

  private func identifier(of annotation: AnnotationFile.Annotation) -> FileIdentifier {
    identifier(ofAnnotation: annotation.id)
  }

  private func identifier(ofAnnotation id: Int64) -> FileIdentifier {
    identifiers.annotationForm == .texts ? identifiers.annotations.identifier(id) : .number(id)
  }

  private func identifier(ofImage id: Int64) -> FileIdentifier {
    identifiers.imageForm == .texts ? identifiers.images.identifier(id) : .number(id)
  }

  private func linked(_ path: String) throws -> AnnotationBlock {
    guard !images.isEmpty else { throw COCOError(at: path, "'images' is empty: there is nothing to work on") }
    guard !categories.isEmpty else { throw COCOError(at: path, "'categories' is empty: there is nothing to detect") }
    let imageTable = IdentifierTable(images.lazy.map(\.id))
    if let (first, second) = imageTable.firstRepetition {
      let names = "\"\(images[first].fileName)\" and \"\(images[second].fileName)\""
      let id = identifier(ofImage: images[first].id)
      throw COCOError(at: path, "two images have the id \(id): \(names)")
    }
    let categoryTable = IdentifierTable(categories.lazy.map(\.id))
    if let (first, second) = categoryTable.firstRepetition {
      let names = "'\(categories[first].name)' and '\(categories[second].name)'"
      throw COCOError(at: path, "two categories have the id \(categories[first].id): \(names)")
    }
    var (imageOf, categoryOf): ([Int32], [Int32]) = ([], [])
    imageOf.reserveCapacity(annotations.count)
    categoryOf.reserveCapacity(annotations.count)
    for annotation in annotations {
      guard let image = imageTable[annotation.imageID] else {
        throw unknown(
          "image \(identifier(ofImage: annotation.imageID))", of: annotation, missingIn: "images",
          counting: "\(images.count) images",
          file: path)
      }
      guard let category = categoryTable[annotation.categoryID] else {
        throw unknown(
          "category \(annotation.categoryID)", of: annotation, missingIn: "categories",
          counting: "\(categories.count) categories", file: path)
      }
      imageOf.append(Int32(image))
      categoryOf.append(Int32(category))
    }
    return AnnotationBlock(
      self, imageOfAnnotation: imageOf, categoryOfAnnotation: categoryOf, findings: findings)
  }

  private func unknown(
    _ what: String, of annotation: AnnotationFile.Annotation, missingIn section: String, counting count: String,
    file path: String
  ) -> COCOError {
    COCOError(
      at: path, "annotation \(identifier(of: annotation)) names \(what), which is not in '\(section)' (\(count))")
  }

  private var findings: [DatasetFinding] {
    var findings = inherited
    if hasAnnotations, annotations.isEmpty {
      findings.append(DatasetFinding(.noAnnotations, "'annotations' is empty: there is nothing to train on"))
    }
    let ids = IdentifierTable(annotations.lazy.map(\.id)).repeatedIDs.named(identifier(ofAnnotation:))
    if ids.count > 0 {
      findings.append(
        DatasetFinding(
          .repeatedAnnotationIDs, of: ids,
          ids.count == 1
            ? "annotation id \(ids.list) is used more than once"
            : "\(ids.count) annotations have the id of another one before them: \(ids.list)"))
    }
    if let finding = repeatedPictures { findings.append(finding) }
    if !notNumbers.isEmpty {
      let keys = notNumbers.sorted { $0.key < $1.key }.map { "'\($0.key)' (\($0.value) times)" }
      findings.append(
        DatasetFinding(
          .notNumbers, level: .notice, count: notNumbers.values.reduce(0, +),
          "NaN or Infinity, which JSON does not have, stands in \(FirstFew.words(keys, most: 8)); nothing of it is used"
        ))
    }
    return findings
  }

  private var repeatedPictures: DatasetFinding? {
    var first: [String: Int64] = [:]
    first.reserveCapacity(images.count)
    var repeated = Tally<FileIdentifier>()
    var examples: [String] = []
    for image in images {
      guard let other = first.updateValue(image.id, forKey: image.fileName) else { continue }
      let (id, otherID) = (identifier(ofImage: image.id), identifier(ofImage: other))
      repeated.add(id)
      if examples.count < Examples.shownCount {
        examples.append("\"\(image.fileName)\" as images \(otherID) and \(id)")
      }
    }
    guard repeated.count > 0 else { return nil }
    return DatasetFinding(
      .repeatedPictures, of: repeated,
      "\(repeated.count) images name a picture that is listed before: \(Examples.list(examples, of: repeated.count))")
  }
}
