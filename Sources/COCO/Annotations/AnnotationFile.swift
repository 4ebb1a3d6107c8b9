/// A COCO annotation file (`instances_*.json`) as it is: nothing is dropped, everything is checked.
///
/// Ids may have gaps and any order, and those of images and annotations may be texts (`FileIdentifier`); unknown keys
/// (`segmentation`, `info`, …) are stepped over. `area` defaults to the box's, `iscrowd` to 0. Whatever would make a
/// training silently wrong is an error that names file and id.
///
/// The content lies in one block of bytes, which several processes may share.
public struct AnnotationFile: Sendable {
  public struct Image: Equatable, Sendable {
    /// Of a file whose ids are texts, the rank of this one: `imageIdentifier` has the text. So it is with annotations.
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
    public internal(set) var imageID: Int64
    public let categoryID: Int64
    public let x: Double
    public let y: Double
    public let width: Double
    public let height: Double
    public let area: Double
    public let isCrowd: Bool
    /// The key `ignore` of some converted data sets: not an object to train on.
    public let isIgnored: Bool
    /// An annotation may have none, if it is of a class that takes no part. Its numbers are then 0.
    public let hasBox: Bool
  }

  public let path: String
  /// In the file's order.
  public let categories: [Category]
  /// What is odd and harmless.
  public let findings: [DatasetFinding]
  package let block: AnnotationBlock

  /// - Throws: `COCOError` with the file and the line or the id.
  public init(reading path: String) throws {
    self.init(path: path, block: try AnnotationParser.read(JSONText(reading: path, limit: 1 << 34)))
  }

  /// Reads the content of a file; `path` is for messages.
  package init(path: String, bytes: [UInt8]) throws {
    self.init(path: path, block: try AnnotationParser.read(JSONText(path: path, bytes: bytes)))
  }

  /// What another process has read.
  /// - Parameter notice: a further finding.
  package init(path: String, block: AnnotationBlock, notice: String? = nil) {
    (self.path, self.block) = (path, block)
    categories = (0..<block.counts.categories).map { Category(id: block.categoryIDs[$0], name: block.categoryName($0)) }
    findings =
      (0..<block.counts.findings).compactMap { DatasetFinding(encoded: block.finding($0)) }
      + (notice.map { [DatasetFinding(.copiedContent, level: .notice, $0)] } ?? [])
  }

  /// Whether the file has a list of annotations, be it an empty one. COCO's own test sets have none.
  public var hasAnnotations: Bool { block.counts.hasAnnotations }

  /// An image's id as the file writes it.
  public func imageIdentifier(_ id: Int64) -> FileIdentifier { block.imageIdentifier(id) }
  /// An annotation's.
  public func annotationIdentifier(_ id: Int64) -> FileIdentifier { block.annotationIdentifier(id) }

  /// In the file's order.
  public var images: Images { Images(block: block) }
  /// Image by image; those of an image in the file's order.
  public var annotations: Annotations { Annotations(block: block) }

  public struct Images: RandomAccessCollection, Sendable {
    let block: AnnotationBlock
    public var startIndex: Int { 0 }
    public var endIndex: Int { block.counts.images }

    public subscript(index: Int) -> Image {
      Image(
        id: block.imageIDs[index], fileName: block.fileName(index), width: Int(block.widths[index]),
        height: Int(block.heights[index]))
    }
  }

  public struct Annotations: RandomAccessCollection, Sendable {
    let block: AnnotationBlock
    public var startIndex: Int { 0 }
    public var endIndex: Int { block.counts.annotations }

    public subscript(index: Int) -> Annotation {
      let box = block.boxes[index]
      return Annotation(
        id: block.annotationIDs[index], imageID: block.imageIDs[Int(block.imageOfAnnotation[index])],
        categoryID: block.categoryIDs[Int(block.categoryOfAnnotation[index])], x: box[0], y: box[1], width: box[2],
        height: box[3], area: block.areas[index], isCrowd: block.flags[index] & AnnotationBlock.crowd != 0,
        isIgnored: block.flags[index] & AnnotationBlock.ignored != 0,
        hasBox: block.flags[index] & AnnotationBlock.withoutBox == 0)
    }

    /// The positions of an image's annotations.
    func ofImage(_ index: Int) -> Range<Int> {
      Int(block.firstAnnotations[index])..<Int(block.firstAnnotations[index + 1])
    }
  }
}
