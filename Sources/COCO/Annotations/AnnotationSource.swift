/// An annotation file of a data set, and where its pictures are.
public struct AnnotationSource: Hashable, Sendable {
  public enum Format: Hashable, Sendable {
    /// COCO's JSON.
    case coco
    /// Pascal VOC's folders. `minSize`: the shortest side of a box that is trained on.
    case voc(classes: [String], minSize: Int?)
  }

  /// `ann_file`.
  public var path: String
  /// `img_prefix`.
  public var imgPrefix: String
  public var format: Format

  public init(path: String = "", imgPrefix: String = "", format: Format = .coco) {
    (self.path, self.imgPrefix, self.format) = (path, imgPrefix, format)
  }

  /// - Throws: `COCOError`.
  fileprivate func read(_ rules: PictureRules) throws -> AnnotationFile {
    switch format {
    case .coco: return try AnnotationFile(reading: path)
    case .voc(let classes, let minSize):
      let block = try VOCAnnotations.read(
        list: path, folder: imgPrefix, classes: classes, minSize: minSize, rules: rules)
      return AnnotationFile(path: path, block: block)
    }
  }
}

/// How the files of a data set are put together: mmdetection's wrappers.
public indirect enum DatasetArrangement: Hashable, Sendable {
  /// The images of the file at this place of `sources`.
  case source(Int)
  /// `ConcatDataset`, and lists of files or of data sets.
  case concatenation([DatasetArrangement])
  /// `RepeatDataset`.
  case repetition(DatasetArrangement, times: Int)
  /// `ClassBalancedDataset`.
  case classBalance(DatasetArrangement, oversampleThr: Double)
}

extension DatasetConfiguration {
  /// Reads all files. Several are put into one, with identifiers and names of pictures that say which they are from.
  /// - Throws: `COCOError` with the file and the line or the id.
  public func readAnnotations() throws -> AnnotationFile {
    let files = try sources.map { try $0.read(pictureRules) }
    guard files.count > 1 else { return files[0] }
    return AnnotationFile(path: annotationPath, block: try MergedAnnotations(files, self).block(annotationPath))
  }

  /// What messages call the annotations.
  public var annotationPath: String { sources.map(\.path).joined(separator: " + ") }

  /// The folder that all pictures are in: `img_prefix`, or what several have in common.
  public var pictureFolder: String {
    guard Set(sources.map(\.imgPrefix)).count > 1 else { return sources[0].imgPrefix }
    let parts = sources.map { $0.imgPrefix.split(separator: "/") }
    var common = parts[0]
    for other in parts { common = Array(zip(common, other).prefix { $0 == $1 }.map(\.0)) }
    let root = sources[0].imgPrefix.hasPrefix("/") ? "/" : ""
    return root + common.joined(separator: "/")
  }

  /// What stands before a picture's name below `pictureFolder`.
  func pictureFolder(ofSource index: Int) -> String {
    let parts = sources[index].imgPrefix.split(separator: "/").filter { $0 != "." }
    let common = pictureFolder.split(separator: "/").count
    return parts.dropFirst(common).map { "\($0)/" }.joined()
  }

  /// What identifiers of a file's images begin with, where there are several files.
  func identifierPrefix(ofSource index: Int) -> String {
    let source = sources[index]
    let isUnique = sources.count { $0.path == source.path } == 1
    return isUnique ? "\(source.path): " : "\(source.path) (\(source.imgPrefix)): "
  }
}

/// Several annotation files as one.
private struct MergedAnnotations {
  private var records = AnnotationRecords()
  /// The merged categories of a name, several where a file has several of it.
  private var categories: [String: [Int64]] = [:]

  init(_ files: [AnnotationFile], _ configuration: DatasetConfiguration) {
    records.hasAnnotations = true
    (records.identifiers.imageForm, records.identifiers.annotationForm) = (.texts, .texts)
    for (index, file) in files.enumerated() {
      let prefix = configuration.identifierPrefix(ofSource: index)
      add(file, identifiers: prefix, pictures: configuration.pictureFolder(ofSource: index))
    }
  }

  func block(_ path: String) throws -> AnnotationBlock { try records.checked(path) }

  private mutating func add(_ file: AnnotationFile, identifiers prefix: String, pictures folder: String) {
    func text(_ identifier: FileIdentifier) -> String {
      if case .text(let text) = identifier { "\(prefix)\(text)" } else { "\(prefix)\(identifier)" }
    }
    records.hasAnnotations = records.hasAnnotations && file.hasAnnotations
    records.inherited += file.findings
    let categories = categories(of: file)
    var images: [Int64] = []
    for image in file.images {
      let id = records.identifiers.images.number(of: text(file.imageIdentifier(image.id)))
      images.append(id)
      records.images.append(
        AnnotationFile.Image(
          id: id, fileName: folder + image.fileName, width: image.width, height: image.height))
    }
    for place in file.annotations.indices {
      let annotation = file.annotations[place]
      let id = records.identifiers.annotations.number(of: text(file.annotationIdentifier(annotation.id)))
      records.annotations.append(
        AnnotationFile.Annotation(
          id: id, imageID: images[Int(file.block.imageOfAnnotation[place])],
          categoryID: categories[Int(file.block.categoryOfAnnotation[place])], x: annotation.x, y: annotation.y,
          width: annotation.width, height: annotation.height, area: annotation.area, isCrowd: annotation.isCrowd,
          isIgnored: annotation.isIgnored, hasBox: annotation.hasBox))
    }
  }

  /// The merged id of each category of a file: categories of one name are one.
  private mutating func categories(of file: AnnotationFile) -> [Int64] {
    var seen: [String: Int] = [:]
    return file.categories.map { category in
      let place = seen[category.name, default: 0]
      seen[category.name] = place + 1
      if place == categories[category.name, default: []].count {
        let id = Int64(records.categories.count + 1)
        categories[category.name, default: []].append(id)
        records.categories.append(AnnotationFile.Category(id: id, name: category.name))
      }
      return categories[category.name]?[place] ?? 0
    }
  }
}
