/// What stands in an annotation file, in its order.
struct AnnotationRecords {
  var images: [AnnotationFile.Image] = []
  var categories: [AnnotationFile.Category] = []
  var annotations: [AnnotationFile.Annotation] = []
  /// Whether the file has a list of them, be it an empty one.
  var hasAnnotations = false
  var identifiers = Identifiers()
  /// What was found in files that were put together.
  var inherited: [DatasetFinding] = []
  /// How often values stand in the file that JSON does not have, by their keys.
  var notNumbers: [String: Int] = [:]

  /// The ids that are texts, and how those of each key are written.
  struct Identifiers {
    var images = TextIdentifiers()
    var annotations = TextIdentifiers()
    var imageForm: TextIdentifiers.Form?
    var annotationForm: TextIdentifiers.Form?
    /// Of `image_id`.
    var referenceForm: TextIdentifiers.Form?
  }
}

/// Reads the text of an annotation file.
enum AnnotationParser {
  private static let sections = ["images", "annotations", "categories"]

  /// - Throws: `COCOError` with the file and the line or the id.
  static func read(_ text: JSONText) throws -> AnnotationBlock {
    let path = text.path
    var reader = try JSONReader(text)
    guard (try? reader.kind()) == .object else {
      let content = "is \(FileContent.describe(Array(text.bytes(0..<min(text.end, 4096))))), not a COCO annotation file"
      throw COCOError(at: path, "\(content): an object is expected at the top level (a results file is an array)")
    }
    var records = AnnotationRecords()
    var found: Set<String> = []
    try reader.enterObject()
    while let key = try reader.nextKey() {
      if let section = sections.first(where: { JSONKey($0) == key }) {
        guard found.insert(section).inserted else {
          throw reader.failure("the key '\(section)' stands twice in the file")
        }
        try records.read(section, from: &reader)
      } else {
        try reader.skip()
      }
    }
    try reader.finish()
    records.hasAnnotations = found.contains("annotations")
    records.notNumbers = text.notNumbers
    // A test set may do without annotations: whoever needs them says so.
    for section in ["images", "categories"] where !found.contains(section) {
      throw COCOError(at: path, "is not a COCO annotation file for detection: it has no '\(section)'")
    }
    return try records.checked(path)
  }
}

extension AnnotationRecords {
  fileprivate mutating func read(_ section: String, from reader: inout JSONReader) throws {
    guard try reader.kind() == .array else {
      let found = try reader.readValue()
      throw reader.failure("'\(section)' is \(found); an array is expected")
    }
    switch section {
    case "images":
      let keys = ["id", "file_name", "width", "height"]
      try read(AnnotationFile.Image.init, "image", in: section, keys, &reader, to: \.images)
    case "annotations":
      let keys = ["id", "image_id", "category_id", "bbox", "area", "iscrowd", "ignore"]
      try read(AnnotationFile.Annotation.init, "annotation", in: section, keys, &reader, to: \.annotations)
    default: try read(AnnotationFile.Category.init, "category", in: section, ["id", "name"], &reader, to: \.categories)
    }
  }

  private mutating func read<Element>(
    _ make: (JSONRecord, inout Identifiers) throws -> Element, _ noun: String, in section: String, _ keys: [String],
    _ reader: inout JSONReader, to elements: WritableKeyPath<AnnotationRecords, [Element]>
  ) throws {
    var record = JSONRecord(keys, noun: noun, section: section, path: reader.text.path)
    var index = 0
    try reader.enterArray()
    while try reader.nextElement() {
      defer { index += 1 }
      guard try reader.kind() == .object else {
        let found = try reader.readValue()
        throw reader.failure("\(section)[\(index)] is \(found); an object is expected")
      }
      try record.read(&reader, index: index)
      let element = try make(record, &identifiers)
      self[keyPath: elements].append(element)
    }
  }
}

extension AnnotationFile.Image {
  fileprivate init(_ record: JSONRecord, _ identifiers: inout AnnotationRecords.Identifiers) throws {
    id = try record.identifier("id", &identifiers.images, form: &identifiers.imageForm)
    fileName = try record.text("file_name")
    if let fault = AnnotationRecords.fault(ofFileName: fileName) {
      throw record.failure("its file_name \(String(fileName.prefix(200)).debugDescription) \(fault)")
    }
    let (width, height) = (try record.wholeNumber("width"), try record.wholeNumber("height"))
    guard width > 0, height > 0 else { throw record.failure("its size is \(width) x \(height); both must be positive") }
    // What is allowed below that is the data set's to say.
    guard width <= Int64(PictureRules.mostPixels) / height else {
      throw record.failure(
        "its size is \(width) x \(height), which is more than the \(PictureRules.mostPixels) pixels that can be read; cut "
          + "large pictures into tiles")
    }
    (self.width, self.height) = (Int(width), Int(height))
  }
}

extension AnnotationFile.Category {
  fileprivate init(_ record: JSONRecord, _: inout AnnotationRecords.Identifiers) throws {
    (id, name) = (try record.wholeNumber("id"), try record.text("name"))
  }
}

extension AnnotationFile.Annotation {
  fileprivate init(_ record: JSONRecord, _ identifiers: inout AnnotationRecords.Identifiers) throws {
    id = try record.identifier("id", &identifiers.annotations, form: &identifiers.annotationForm)
    imageID = try record.identifier("image_id", &identifiers.images, form: &identifiers.referenceForm)
    categoryID = try record.wholeNumber("category_id")
    hasBox = record.has("bbox")
    let box = hasBox ? try record.box("bbox") : .zero
    (x, y, width, height) = (box[0], box[1], box[2], box[3])
    area = try record.number("area", default: box[2] * box[3])
    isCrowd = try record.flag("iscrowd")
    isIgnored = try record.flag("ignore")
  }
}
