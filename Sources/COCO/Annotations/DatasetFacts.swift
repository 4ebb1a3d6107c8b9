/// What a data set holds, class by class.
public struct DatasetFacts: Equatable, Sendable {
  /// Boxes are those to train on, or in a test set those to be found; the size ranges are COCO's, by `area`.
  public struct Class: Equatable, Sendable {
    public let name: String
    public let categoryID: Int64
    /// With such a box.
    public internal(set) var images = 0
    public internal(set) var boxes = 0
    /// Below 32² pixels.
    public internal(set) var small = 0
    /// Below 96².
    public internal(set) var medium = 0
    public internal(set) var large = 0
    public internal(set) var crowd = 0
  }

  /// In the order of the labels.
  public internal(set) var classes: [Class]
  /// Of all of the file's images: those without any such box, and the first ids.
  public private(set) var imagesWithoutBoxes = 0
  public private(set) var firstIDsWithoutBoxes: [FileIdentifier] = []
  /// `3, 7, 9, …`
  public private(set) var listWithoutBoxes = ""

  fileprivate mutating func take(_ tally: Tally<FileIdentifier>) {
    (imagesWithoutBoxes, firstIDsWithoutBoxes, listWithoutBoxes) = (tally.count, tally.ids, tally.list)
  }
}

extension CocoDataset {
  /// Counts; one pass over the annotations.
  public var facts: DatasetFacts {
    let block = images.file.block
    var facts = DatasetFacts(
      classes: zip(classes, categoryIDs).map { DatasetFacts.Class(name: $0, categoryID: $1) })
    var empty = Tally<Int64>()
    var rest = images.positions[images.distinct]
    // The last image in which each class was seen.
    var lastImages = classes.map { _ in -1 }
    for position in 0..<block.counts.images {
      let takesPart = rest.first == Int32(position)
      if takesPart { rest.removeFirst() }
      var isEmpty = true
      for annotation in images.file.annotations.ofImage(position) {
        guard let label = images.labels[Int(block.categoryOfAnnotation[annotation])] else { continue }
        let use = block.use(of: annotation)
        if use.kind == .crowd, takesPart { facts.classes[label].crowd += 1 }
        guard use.counts(inTraining: summary.isForTraining) else { continue }
        isEmpty = false
        guard takesPart else { continue }
        facts.classes[label].count(area: block.areas[annotation], isFirst: lastImages[label] != position)
        lastImages[label] = position
      }
      if isEmpty { empty.add(block.imageIDs[position]) }
    }
    facts.take(empty.named(images.file.imageIdentifier))
    return facts
  }
}

extension DatasetFacts.Class {
  /// - Parameter isFirst: of its class in its image.
  fileprivate mutating func count(area: Double, isFirst: Bool) {
    boxes += 1
    if isFirst { images += 1 }
    if area < 32 * 32 { small += 1 } else if area < 96 * 96 { medium += 1 } else { large += 1 }
  }
}
