import Foundation
import Primitives

/// A COCO data set ready for training or testing: the images in the file's order, with boxes and labels after
/// mmdetection's `CocoDataset` filtering.
///
/// Labels are indices into `classes`. Boxes of less than a pixel in width or height, without area or wholly outside
/// their image are dropped; the others are not clipped (Resize does). Crowd boxes are no targets, but `ignored`.
public struct CocoDataset: Sendable {
  public struct Image: Equatable, Sendable {
    public let id: Int64
    public let fileName: String
    public let width: Int
    public let height: Int
    /// In pixels of the stored picture, with their labels and annotation ids.
    public internal(set) var boxes: [Box]
    public internal(set) var labels: [Int]
    public internal(set) var annotationIDs: [Int64]
    /// Crowd regions.
    public internal(set) var ignored: [Box]

    public init(
      id: Int64, fileName: String, width: Int, height: Int, boxes: [Box] = [], labels: [Int] = [],
      annotationIDs: [Int64] = [], ignored: [Box] = []
    ) {
      (self.id, self.fileName, self.width, self.height) = (id, fileName, width, height)
      (self.boxes, self.labels, self.annotationIDs, self.ignored) = (boxes, labels, annotationIDs, ignored)
    }

    public var size: ImageSize { ImageSize(height: height, width: width) }
    /// mmdetection's group flag: 1 for images wider than high, 0 for all others, the square ones among them.
    public var aspectGroup: Int { width > height ? 1 : 0 }
  }

  public let images: [Image]
  /// The class names in the order of the labels.
  public let classes: [String]
  /// The file's category id of each label.
  public let categoryIDs: [Int64]
  public let imageFolder: String
  public let summary: DatasetSummary

  /// - Parameters:
  ///   - configuration: its `classes` choose and order the classes by name; without, it is the file's order.
  ///   - training: drops images that are too small (`minSize`) or have no annotation of any of the classes
  ///     (`filterEmptyGt`; one whose only annotations are crowds or degenerate stays, as in mmdetection).
  /// - Throws: `COCOError` if a class is not in the file, or no image is left for training.
  public init(_ file: AnnotationFile, configuration: DatasetConfiguration, training: Bool) throws {
    let chosen = try Self.chosenCategories(file, configuration.classes)
    let labels = Dictionary(uniqueKeysWithValues: chosen.enumerated().map { ($1.id, $0) })
    var summary = DatasetSummary(path: file.path, imagesInFile: file.images.count, warnings: file.warnings)
    var images = file.images.map { Image(id: $0.id, fileName: $0.fileName, width: $0.width, height: $0.height) }
    let indices = Dictionary(uniqueKeysWithValues: images.enumerated().map { ($1.id, $0) })
    var isAnnotated = [Bool](repeating: false, count: images.count)
    for annotation in file.annotations {
      guard let index = indices[annotation.imageID] else { continue }
      guard let label = labels[annotation.categoryID] else {
        summary.boxesOfOtherClasses += 1
        continue
      }
      isAnnotated[index] = true
      images[index].add(annotation, label, &summary)
    }
    if training { images = Self.trainable(images, isAnnotated, configuration, &summary) }
    guard !images.isEmpty else { throw COCOError(at: file.path, "no image is left to train on: \(summary)") }
    summary.images = images.count
    summary.boxes = images.reduce(0) { $0 + $1.boxes.count }
    (self.images, classes, categoryIDs) = (images, chosen.map(\.name), chosen.map(\.id))
    (imageFolder, self.summary) = (configuration.imgPrefix, summary)
  }

  public func path(of image: Image) -> String {
    if imageFolder.isEmpty { return "./\(image.fileName)" }
    return imageFolder.hasSuffix("/") ? imageFolder + image.fileName : "\(imageFolder)/\(image.fileName)"
  }

  /// The paths of the images that are not on disk, in order.
  public func missingFiles() -> [String] {
    images.map { path(of: $0) }.filter { !FileManager.default.fileExists(atPath: $0) }
  }

  private static func chosenCategories(
    _ file: AnnotationFile, _ classes: [String]?
  ) throws -> [AnnotationFile.Category] {
    guard let classes else { return file.categories }
    return try classes.enumerated().map { index, name in
      let matches = file.categories.filter { $0.name == name }
      guard let category = matches.first else {
        let names = file.categories.prefix(20).map { "'\($0.name)'" }.joined(separator: ", ")
        throw COCOError(at: file.path, "has no category '\(name)', which 'classes' asks for; it has \(names)")
      }
      guard matches.count == 1, !classes[..<index].contains(name) else {
        throw COCOError(at: file.path, "the class '\(name)' is not unique in 'classes' and the file's categories")
      }
      return category
    }
  }

  private static func trainable(
    _ images: [Image], _ isAnnotated: [Bool], _ configuration: DatasetConfiguration, _ summary: inout DatasetSummary
  ) -> [Image] {
    var kept: [Image] = []
    for (image, isAnnotated) in zip(images, isAnnotated) {
      if configuration.filterEmptyGt && !isAnnotated {
        summary.imagesWithoutAnnotations += 1
      } else if min(image.width, image.height) < configuration.minSize {
        summary.imagesTooSmall += 1
      } else {
        kept.append(image)
      }
    }
    return kept
  }
}

extension CocoDataset.Image {
  /// mmdetection's `_parse_ann_info` for one annotation.
  fileprivate mutating func add(
    _ annotation: AnnotationFile.Annotation, _ label: Int, _ summary: inout DatasetSummary
  ) {
    let (right, bottom) = (annotation.x + annotation.width, annotation.y + annotation.height)
    let visibleWidth = max(0, min(right, Double(width)) - max(annotation.x, 0))
    let visibleHeight = max(0, min(bottom, Double(height)) - max(annotation.y, 0))
    if annotation.isIgnored {
      summary.boxesMarkedIgnore += 1
    } else if annotation.area <= 0 || annotation.width < 1 || annotation.height < 1 {
      summary.boxesTooSmall += 1
    } else if visibleWidth * visibleHeight == 0 {
      summary.boxesOutside += 1
    } else {
      let box = Box(Float(annotation.x), Float(annotation.y), Float(right), Float(bottom))
      let hidden = max(-annotation.x, -annotation.y, right - Double(width), bottom - Double(height))
      if hidden >= 1 { summary.boxesOverTheEdge += 1 }
      if annotation.isCrowd {
        summary.crowdBoxes += 1
        ignored.append(box)
      } else {
        boxes.append(box)
        labels.append(label)
        annotationIDs.append(annotation.id)
      }
    }
  }
}
