import Foundation
import Primitives

/// A data set as Pascal VOC lays it out: a list of names (`ImageSets/Main/trainval.txt`), a file of annotations for each
/// (`Annotations/NAME.xml`) and a picture (`JPEGImages/NAME.jpg`), read by the rules of mmdetection's `XMLDataset`.
///
/// Boxes count pixels from 1 there and from 0 here. What is `difficult`, or smaller than `minSize`, is a region to be
/// ignored, as crowds are in COCO's files.
struct VOCAnnotations {
  private static let maximumBytes = 16 << 20

  private let list: String
  private let folder: String
  private let classes: [String]
  private let minSize: Int?
  private let rules: PictureRules
  private var records = AnnotationRecords()
  /// The numbers of the classes, then of others that are met.
  private var categories: [String: Int64] = [:]

  /// - Parameters:
  ///   - list: the file of names.
  ///   - folder: of the year, `VOCdevkit/VOC2007`.
  ///   - classes: in the order of their labels.
  ///   - minSize: the shortest side of a box that is trained on; nil: any.
  ///   - rules: for pictures whose size their annotations don't say.
  init(list: String, folder: String, classes: [String], minSize: Int?, rules: PictureRules) {
    (self.list, self.classes, self.minSize, self.rules) = (list, classes, minSize, rules)
    self.folder = folder.isEmpty ? "" : folder.hasSuffix("/") ? folder : "\(folder)/"
  }

  /// - Throws: `COCOError` with the file and the line or the object.
  static func read(
    list: String, folder: String, classes: [String], minSize: Int? = nil, rules: PictureRules = PictureRules()
  ) throws -> AnnotationBlock {
    var reader = VOCAnnotations(list: list, folder: folder, classes: classes, minSize: minSize, rules: rules)
    return try reader.read()
  }

  private mutating func read() throws -> AnnotationBlock {
    records.hasAnnotations = true
    records.identifiers.imageForm = .texts
    for name in classes { _ = category(name) }
    let text = String(decoding: try FileContent.read(list, limit: Self.maximumBytes), as: UTF8.self)
    for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard let name = words.first else { continue }
      guard words.count == 1 else {
        throw COCOError(
          at: "\(list):\(number + 1)",
          "'\(line.prefix(80))' is more than a name: lists of one class (aeroplane_train.txt) name pictures without it too; "
            + "give the list of all, as train.txt")
      }
      if let fault = AnnotationRecords.fault(ofFileName: String(name)) {
        throw COCOError(at: "\(list):\(number + 1)", "the name '\(name.prefix(80))' \(fault)")
      }
      try readPicture(String(name))
    }
    guard !records.images.isEmpty else { throw COCOError(at: list, "names no picture") }
    return try records.checked(list)
  }

  private mutating func category(_ name: String) -> Int64 {
    if let number = categories[name] { return number }
    let number = Int64(categories.count + 1)
    categories[name] = number
    records.categories.append(AnnotationFile.Category(id: number, name: name))
    return number
  }

  private mutating func readPicture(_ name: String) throws {
    let path = "\(folder)Annotations/\(name).xml"
    var reader = XMLReader(path: path, bytes: try FileContent.read(path, limit: Self.maximumBytes))
    let root = try reader.root()
    let fileName = "JPEGImages/\(name).jpg"
    let size = try size(root, path, picture: folder + fileName)
    guard size.width <= PictureRules.mostPixels / size.height else {
      throw COCOError(at: path, "its size is \(size.width) x \(size.height), more than can be read")
    }
    let id = records.identifiers.images.number(of: name)
    records.images.append(
      AnnotationFile.Image(id: id, fileName: fileName, width: size.width, height: size.height))
    for (place, object) in root.children.filter({ $0.name == "object" }).enumerated() {
      try add(object, "object \(place + 1)", image: id, path)
    }
  }

  /// What `size` says, or the picture itself.
  private func size(_ root: XMLElement, _ path: String, picture: String) throws -> ImageSize {
    guard let element = root.child("size") else { return try PictureHeader(reading: picture, rules).size }
    let width = try number(element, "width", "size", path)
    let height = try number(element, "height", "size", path)
    guard width > 0, height > 0 else { return try PictureHeader(reading: picture, rules).size }
    return ImageSize(height: height, width: width)
  }

  private mutating func add(_ object: XMLElement, _ place: String, image: Int64, _ path: String) throws {
    guard let name = object.child("name")?.text, !name.isEmpty else {
      throw COCOError(at: path, "\(place) has no 'name'")
    }
    let hasDifficulty = object.child("difficult") != nil
    let isDifficult = try hasDifficulty && number(object, "difficult", place, path) != 0
    guard let element = object.child("bndbox") else { throw COCOError(at: path, "\(place) has no 'bndbox'") }
    let corners = try ["xmin", "ymin", "xmax", "ymax"].map { try number(element, $0, place, path) }
    let (width, height) = (corners[2] - corners[0], corners[3] - corners[1])
    let isSmall = minSize.map { width < $0 || height < $0 } ?? false
    records.annotations.append(
      AnnotationFile.Annotation(
        id: Int64(records.annotations.count + 1), imageID: image, categoryID: category(name),
        x: Double(corners[0] - 1), y: Double(corners[1] - 1), width: Double(width), height: Double(height),
        area: Double(max(0, width)) * Double(max(0, height)), isCrowd: isDifficult || isSmall, isIgnored: false,
        hasBox: true))
  }

  /// Python's `int(float(text))`.
  private func number(_ element: XMLElement, _ key: String, _ place: String, _ path: String) throws -> Int {
    guard let text = element.child(key)?.text else { throw COCOError(at: path, "\(place) has no '\(key)'") }
    let trimmed = text.filter { !$0.isWhitespace }
    guard let value = Double(trimmed), abs(value) <= 1e9 else {
      throw COCOError(at: path, "\(place): '\(key)' is '\(trimmed.prefix(40))', expected a number")
    }
    return Int(value)
  }
}
