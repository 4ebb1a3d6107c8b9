/// A COCO annotation file (`instances_*.json`) as it is: nothing is dropped, everything is checked.
///
/// Ids may have gaps and any order; unknown keys (`segmentation`, `info`, …) are stepped over. `area` defaults to the
/// box's, `iscrowd` to 0. Whatever would make a training silently wrong is an error that names file and id.
public struct AnnotationFile: Sendable {
  public struct Image: Equatable, Sendable {
    public let id: Int64
    /// Relative to the image folder, and inside it.
    public let fileName: String
    public let width: Int
    public let height: Int
  }

  public struct Category: Equatable, Sendable {
    public let id: Int64
    public let name: String
  }

  /// One object: its box in pixels as COCO writes it, `[x, y, width, height]`.
  public struct Annotation: Equatable, Sendable {
    public let id: Int64
    public let imageID: Int64
    public let categoryID: Int64
    public let x: Double
    public let y: Double
    public let width: Double
    public let height: Double
    public let area: Double
    public let isCrowd: Bool
    /// The key `ignore` of some converted data sets: not an object to train on.
    public let isIgnored: Bool
  }

  public let path: String
  public internal(set) var images: [Image] = []
  public internal(set) var categories: [Category] = []
  public internal(set) var annotations: [Annotation] = []
  /// What is odd and harmless, a sentence each.
  public internal(set) var warnings: [String] = []

  /// - Throws: `COCOError` with the file and the line or the id.
  public init(reading path: String) throws {
    try self.init(path: path, bytes: try FileContent.read(path, limit: 1 << 34))
  }

  /// Reads the content of a file; `path` is for messages.
  package init(path: String, bytes: [UInt8]) throws {
    self.path = path
    var reader = JSONReader(path: path, bytes: bytes)
    guard (try? reader.kind()) == .object else {
      let content = "is \(FileContent.describe(bytes)), not a COCO annotation file"
      throw COCOError(at: path, "\(content): an object is expected at the top level (a results file is an array)")
    }
    var sections: Set<String> = []
    try reader.readObject { reader, key in
      guard ["images", "annotations", "categories"].contains(key) else { return try reader.skip() }
      guard sections.insert(key).inserted else { throw reader.failure("the key '\(key)' stands twice in the file") }
      try readSection(key, from: &reader)
    }
    try reader.finish()
    for section in ["images", "annotations", "categories"] where !sections.contains(section) {
      throw COCOError(at: path, "is not a COCO annotation file for detection: it has no '\(section)'")
    }
    try checkReferences()
  }

  private mutating func readSection(_ key: String, from reader: inout JSONReader) throws {
    guard try reader.kind() == .array else {
      let found = try reader.readValue()
      throw reader.failure("'\(key)' is \(found); an array is expected")
    }
    let path = path
    try reader.readArray { reader, index in
      guard try reader.kind() == .object else {
        let found = try reader.readValue()
        throw reader.failure("\(key)[\(index)] is \(found); an object is expected")
      }
      let place = "\(key)[\(index)]"
      switch key {
      case "images": images.append(try Image(try Record(Image.keys, "image", place, path, &reader)))
      case "annotations":
        annotations.append(try Annotation(try Record(Annotation.keys, "annotation", place, path, &reader)))
      default: categories.append(try Category(try Record(Category.keys, "category", place, path, &reader)))
      }
    }
  }
}

extension AnnotationFile.Image {
  fileprivate static let keys = ["id", "file_name", "width", "height"]

  fileprivate init(_ record: Record) throws {
    id = try record.wholeNumber("id")
    fileName = try record.text("file_name")
    if let fault = AnnotationFile.fault(ofFileName: fileName) {
      throw record.failure("its file_name \(String(fileName.prefix(200)).debugDescription) \(fault)")
    }
    let (width, height) = (try record.wholeNumber("width"), try record.wholeNumber("height"))
    guard width > 0, height > 0 else { throw record.failure("its size is \(width) x \(height); both must be positive") }
    guard width <= Int64(ImageDecoder.maximumPixels) / height else {
      throw record.failure(
        "its size is \(width) x \(height): more than \(ImageDecoder.maximumPixels) pixels are refused")
    }
    (self.width, self.height) = (Int(width), Int(height))
  }
}

extension AnnotationFile.Category {
  fileprivate static let keys = ["id", "name"]

  fileprivate init(_ record: Record) throws { (id, name) = (try record.wholeNumber("id"), try record.text("name")) }
}

extension AnnotationFile.Annotation {
  fileprivate static let keys = ["id", "image_id", "category_id", "bbox", "area", "iscrowd", "ignore"]

  fileprivate init(_ record: Record) throws {
    id = try record.wholeNumber("id")
    imageID = try record.wholeNumber("image_id")
    categoryID = try record.wholeNumber("category_id")
    let box = try record.box("bbox")
    (x, y, width, height) = (box[0], box[1], box[2], box[3])
    area = try record.number("area", default: box[2] * box[3])
    isCrowd = try record.flag("iscrowd")
    isIgnored = try record.flag("ignore")
  }
}

/// The members of one image, category or annotation, and how to name it in an error.
private struct Record {
  private let members: JSONMembers
  private let path: String
  private let name: String

  init(_ keys: [String], _ noun: String, _ place: String, _ path: String, _ reader: inout JSONReader) throws {
    members = try reader.readMembers(keys)
    self.path = path
    name = members["id"]?.wholeNumber.map { "\(noun) \($0)" } ?? place
  }

  func failure(_ message: String) -> COCOError { COCOError(at: path, "\(name): \(message)") }

  private func value(_ key: String) throws -> JSONValue {
    guard let value = members[key] else { throw failure("it has no '\(key)'") }
    return value
  }

  func wholeNumber(_ key: String) throws -> Int64 {
    let value = try value(key)
    guard let number = value.wholeNumber else {
      throw failure("its '\(key)' is \(value); a whole number of at most 64 bits is expected")
    }
    return number
  }

  func text(_ key: String) throws -> String {
    let value = try value(key)
    guard case .string(let text) = value else { throw failure("its '\(key)' is \(value); a string is expected") }
    return text
  }

  func number(_ key: String, default defaultValue: Double) throws -> Double {
    guard let value = members[key] else { return defaultValue }
    guard let number = value.double, number.isFinite else {
      throw failure("its '\(key)' is \(value); a finite number is expected")
    }
    return number
  }

  func flag(_ key: String) throws -> Bool {
    switch members[key] {
    case nil, .integer(0), .boolean(false): return false
    case .integer(1), .boolean(true): return true
    case .some(let value): throw failure("its '\(key)' is \(value); 0 or 1 is expected")
    }
  }

  /// Four numbers that are finite, also as 32-bit floats and in sums of two.
  func box(_ key: String) throws -> [Double] {
    let value = try value(key)
    guard case .array(let elements) = value, elements.count == 4 else {
      throw failure("its '\(key)' is \(value); [x, y, width, height] is expected")
    }
    return try elements.map { element in
      guard let number = element.double, abs(number) < 1e30 else {
        throw failure("its '\(key)' holds \(element); numbers of pixels are expected")
      }
      return number
    }
  }
}
