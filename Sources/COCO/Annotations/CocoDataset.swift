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
    /// Crowd regions, where the configuration collects them.
    public internal(set) var ignored: [Box]
    /// Those that are given, where the configuration names a file of them.
    public var proposals: [Box] = []

    public init(
      id: Int64, fileName: String, width: Int, height: Int, boxes: [Box] = [], labels: [Int] = [],
      annotationIDs: [Int64] = [], ignored: [Box] = []
    ) {
      (self.id, self.fileName, self.width, self.height) = (id, fileName, width, height)
      (self.boxes, self.labels, self.annotationIDs, self.ignored) = (boxes, labels, annotationIDs, ignored)
    }

    public var size: ImageSize { ImageSize(height: height, width: width) }
    /// mmdetection's group flag: 1 for images wider than high, 0 for all others, the square ones among them.
    public var aspectGroup: Int { CocoDataset.aspectGroup(of: size) }
  }

  fileprivate static func aspectGroup(of size: ImageSize) -> Int { size.width > size.height ? 1 : 0 }

  public let images: Images
  /// The class names in the order of the labels.
  public let classes: [String]
  /// The file's category id of each label.
  public let categoryIDs: [Int64]
  /// Whether there is any annotation, of whatever class, to measure against.
  public var hasGroundTruth: Bool { !images.file.annotations.isEmpty }
  public var hasAnnotations: Bool { images.file.hasAnnotations }
  /// Whether several of the file's categories have one name.
  public var categoriesShareNames: Bool {
    Set(images.file.categories.map(\.name)).count < images.file.categories.count
  }
  package let pictures: PictureSource
  /// `img_prefix`, or the folder that several have in common.
  public let imageFolder: String
  let pictureRules: PictureRules
  public let summary: DatasetSummary

  /// - Parameters:
  ///   - file: the annotation file, as it was read.
  ///   - configuration: its `classes` choose and order the classes by name; without, it is the file's order.
  ///   - training: drops images that are too small (`minSize`) or have no annotation of any of the classes
  ///     (`filterEmptyGt`; one whose only annotations are crowds or degenerate stays, as in mmdetection).
  ///   - pictures: what the configuration's `imgPrefix` names, where it is open already.
  ///   - proposals: what its `proposals` names.
  /// - Throws: `COCOError` if a class is not in the file, or no image, or with `filterEmptyGt` no box, is left for
  ///   training; if `imgPrefix` names an archive that can't be used.
  public init(
    _ file: AnnotationFile, configuration: DatasetConfiguration, training: Bool, pictures: PictureSource? = nil,
    proposals: ProposalBlock? = nil
  ) throws {
    guard file.hasAnnotations || !training else {
      throw COCOError(at: file.path, "is not a COCO annotation file for detection: it has no 'annotations'")
    }
    imageFolder = configuration.pictureFolder
    self.pictures = try pictures ?? PictureSource(imageFolder)
    var summary = DatasetSummary(file, isForTraining: training, minSize: configuration.minSize)
    let chosen = try file.chosenCategories(configuration.classes, &summary.findings)
    let labels = file.categories.map { category in chosen.firstIndex { $0.id == category.id } }
    var images = Images(
      file, labels: labels, proposals, training ? configuration : nil, collectsIgnored: configuration.collectsIgnored,
      &summary)
    if training { images.arrange(configuration) }
    summary.imagesAnEpoch = images.count
    self.images = images
    (classes, categoryIDs) = (chosen.map(\.name), chosen.map(\.id))
    summary.classesTaken = classes
    try file.requireBoxes(labels: labels)
    if let finding = summary.findingOfClassesWithoutBoxes { summary.findings.append(finding) }
    if images.isEmpty || training && configuration.filterEmptyGt && summary.boxes == 0 {
      throw COCOError(at: file.path, summary.nothingLeft)
    }
    if training && summary.boxes == 0 {
      let reason = summary.lossReason.map { "; \($0)" } ?? ""
      summary.findings.append(
        DatasetFinding(
          .noBoxes,
          "\(file.path): there is no box to train on, and 'filter_empty_gt: false' lets all images be background\(reason)"
        ))
    } else if let warning = summary.lossWarning {
      summary.findings.append(DatasetFinding(.lostBoxes, warning))
    }
    self.summary = summary
    pictureRules = configuration.pictureRules
    try images.checkSizes(pictureRules)
  }

  /// The annotated boxes of each image, of all categories of the file; no crowds and none that is marked `ignore`.
  package var allObjects: [[Box]] { images.indices.map(images.objects) }

  public func path(of image: Image) -> String { pictures.path(of: image.fileName) }

  /// An image's id as the file writes it: for results and messages.
  public func identifier(ofImage id: Int64) -> FileIdentifier { images.file.imageIdentifier(id) }

  /// The numbers of what is in the annotation file, and a digest of all of it.
  package var contentSummary: String {
    let block = images.file.block
    return "\(block.counts.images) images and \(block.counts.annotations) annotations with the digest "
      + String(block.digest, radix: 16)
  }
}

extension CocoDataset {
  /// The images that take part. They lie in the annotation file's block; an `Image` is made when it is asked for.
  public struct Images: RandomAccessCollection, Sendable {
    let file: AnnotationFile
    /// Positions in the file.
    private(set) var positions: [Int32]
    /// For those from `distinct.count` on, how often the image came before.
    private var repeatNumbers: [Int32] = []
    /// The label of each of the file's categories, nil for those that take no part.
    let labels: [Int?]
    private let collectsIgnored: Bool
    private let proposals: ProposalBlock?

    /// - Parameter filter: for training; without, all of the file's images take part.
    fileprivate init(
      _ file: AnnotationFile, labels: [Int?], _ proposals: ProposalBlock?, _ filter: DatasetConfiguration?,
      collectsIgnored: Bool, _ summary: inout DatasetSummary
    ) {
      (self.file, self.labels, self.collectsIgnored, self.proposals) = (file, labels, collectsIgnored, proposals)
      let block = file.block
      var positions: [Int32] = []
      var unused: Set<Int> = []
      var boxesOfCategory = file.categories.map { _ in 0 }
      var oddities = AnnotationOddities()
      // Of one image: its annotations that take part, and the categories of those that count.
      var (annotated, counted): ([Int], [Int]) = ([], [])
      for position in 0..<block.counts.images {
        let annotations = file.annotations.ofImage(position)
        annotated.removeAll(keepingCapacity: true)
        counted.removeAll(keepingCapacity: true)
        for annotation in annotations {
          let category = Int(block.categoryOfAnnotation[annotation])
          guard labels[category] != nil else {
            unused.insert(category)
            continue
          }
          annotated.append(annotation)
          let use = block.use(of: annotation)
          summary.count(use, on: SIMD2(Double(block.widths[position]), Double(block.heights[position])))
          if use.counts(inTraining: summary.isForTraining) { counted.append(category) }
        }
        let areCrowds = annotations.allSatisfy { block.flags[$0] & AnnotationBlock.crowd != 0 }
        oddities.look(at: annotated, in: block)
        summary.boxesOfOtherClasses += annotations.count - annotated.count
        if let filter, filter.filterEmptyGt && (annotated.isEmpty || filter.leavesOutCrowdImages && areCrowds) {
          summary.imagesWithoutAnnotations += 1
        } else if let filter, Swift.min(block.widths[position], block.heights[position]) < filter.minSize {
          summary.imagesTooSmall += 1
        } else {
          positions.append(Int32(position))
          summary.boxes += counted.count
          for category in counted { boxesOfCategory[category] += 1 }
        }
      }
      summary.images = positions.count
      summary.otherClasses = unused.sorted().map { file.categories[$0].name }
      summary.findings += oddities.findings(isForTraining: summary.isForTraining, file.annotationIdentifier)
      summary.classesWithoutBoxes = file.categories.indices.filter { labels[$0] != nil && boxesOfCategory[$0] == 0 }
        .map { file.categories[$0].name }
      self.positions = positions
    }

    /// Lets images come as often as the configuration says, the further times behind all images.
    fileprivate mutating func arrange(_ configuration: DatasetConfiguration) {
      guard configuration.arrangement != .source(0) else { return }
      let all = self
      let arrangement = ImageArrangement(
        sourceOfImage: sources(configuration),
        classesOfImage: { image in
          let annotations = all.file.annotations.ofImage(Int(all.positions[image]))
          return Set(
            annotations.map { Int(all.file.block.categoryOfAnnotation[$0]) }.filter { category in
              // As mmdetection: COCO's classes are all of the file, VOC's those that take part.
              configuration.sources[0].format == .coco || all.labels[category] != nil
            })
        })
      let repeats = arrangement.repeats(configuration.arrangement)
      repeatNumbers = repeats.map { Int32($0.number) }
      positions += repeats.map { positions[$0.image] }
    }

    /// Of each image the source that it is from: several files stand behind each other, and their identifiers say it.
    private func sources(_ configuration: DatasetConfiguration) -> [Int] {
      let prefixes = configuration.sources.indices.map(configuration.identifierPrefix)
      guard prefixes.count > 1 else { return positions.map { _ in 0 } }
      return positions.indices.map { index in
        guard case .text(let text) = identifier(at: index) else { bug("image \(index) of several files has no text") }
        let fitting = prefixes.indices.filter { text.hasPrefix(prefixes[$0]) }
        guard let source = fitting.max(by: { prefixes[$0].utf8.count < prefixes[$1].utf8.count }) else {
          bug("image \(text) is of none of \(prefixes.count) files")
        }
        return source
      }
    }

    /// The places of all images, each once; behind them are those that come again.
    public var distinct: Range<Int> { 0..<positions.count - repeatNumbers.count }

    /// How often the image at a place came before in an epoch.
    public func repeatNumber(at index: Int) -> Int {
      index < distinct.count ? 0 : Int(repeatNumbers[index - distinct.count])
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { positions.count }

    public subscript(index: Int) -> Image {
      let (position, block) = (Int(positions[index]), file.block)
      var image = Image(
        id: block.imageIDs[position], fileName: block.fileName(position), width: Int(block.widths[position]),
        height: Int(block.heights[position]))
      for annotation in file.annotations.ofImage(position) {
        guard let label = labels[Int(block.categoryOfAnnotation[annotation])] else { continue }
        let use = block.use(of: annotation)
        switch use.kind {
        case .target:
          image.boxes.append(use.box)
          image.labels.append(label)
          image.annotationIDs.append(block.annotationIDs[annotation])
        case .crowd: if collectsIgnored { image.ignored.append(use.box) }
        case .markedIgnore, .tooSmall, .outside: break
        }
      }
      if let proposals {
        image.proposals = proposals.boxes(ofImage: position)
        // As in mmdetection, where a RoI head needs something to look at.
        if image.proposals.isEmpty { image.proposals = [Box(0, 0, 0, 0)] }
      }
      return image
    }

    fileprivate func objects(at index: Int) -> [Box] {
      file.annotations.ofImage(Int(positions[index])).compactMap { position in
        let annotation = file.annotations[position]
        guard annotation.hasBox, !annotation.isCrowd, !annotation.isIgnored else { return nil }
        return EvaluationBox(x: annotation.x, y: annotation.y, width: annotation.width, height: annotation.height)
          .corners
      }
    }

    /// What `self[index]` says, without its boxes.
    public func id(at index: Int) -> Int64 { file.block.imageIDs[Int(positions[index])] }

    /// The id as the file writes it.
    public func identifier(at index: Int) -> FileIdentifier { file.imageIdentifier(id(at: index)) }

    func fileName(at index: Int) -> String { file.block.fileName(Int(positions[index])) }

    public func size(at index: Int) -> ImageSize {
      let position = Int(positions[index])
      return ImageSize(height: Int(file.block.heights[position]), width: Int(file.block.widths[position]))
    }

    /// - Throws: `COCOError` for the first that is larger than pictures may be.
    fileprivate func checkSizes(_ rules: PictureRules) throws {
      for index in indices {
        let size = size(at: index)
        guard size.width > rules.maximumPixels / size.height else { continue }
        throw COCOError(
          at: file.path, "image \(id(at: index)): its size is \(size.width) x \(size.height): \(rules.refusal)")
      }
    }

    public func aspectGroup(at index: Int) -> Int { CocoDataset.aspectGroup(of: size(at: index)) }
  }
}

/// What becomes of an annotation: mmdetection's `_parse_ann_info`.
struct AnnotationUse {
  enum Kind { case target, crowd, markedIgnore, tooSmall, outside }

  let kind: Kind
  let box: Box
  let isOverTheEdge: Bool
  let isCrowd: Bool

  /// Whether it is one to train on, or one to be found in a test set, where only crowd regions are none.
  func counts(inTraining: Bool) -> Bool { inTraining ? kind == .target : !isCrowd }
}

extension AnnotationBlock {
  func use(of annotation: Int) -> AnnotationUse {
    let image = Int(imageOfAnnotation[annotation])
    let (width, height) = (Double(widths[image]), Double(heights[image]))
    let (box, flags) = (boxes[annotation], flags[annotation])
    let (left, top, right, bottom) = (box[0], box[1], box[0] + box[2], box[1] + box[3])
    let visibleWidth = max(0, min(right, width) - max(left, 0))
    let visibleHeight = max(0, min(bottom, height) - max(top, 0))
    let kind: AnnotationUse.Kind =
      if flags & Self.ignored != 0 {
        .markedIgnore
      } else if areas[annotation] <= 0 || box[2] < 1 || box[3] < 1 {
        .tooSmall
      } else if visibleWidth * visibleHeight == 0 {
        .outside
      } else if flags & Self.crowd != 0 {
        .crowd
      } else {
        .target
      }
    return AnnotationUse(
      kind: kind, box: Box(Float(left), Float(top), Float(right), Float(bottom)),
      isOverTheEdge: max(-left, -top, right - width, bottom - height) >= 1, isCrowd: flags & Self.crowd != 0)
  }
}

extension DatasetSummary {
  /// - Parameter size: the image's width and height.
  fileprivate mutating func count(_ use: AnnotationUse, on size: SIMD2<Double>) {
    let (right, bottom) = (Double(use.box.x2), Double(use.box.y2))
    switch use.kind {
    case .markedIgnore: boxesMarkedIgnore += 1
    case .tooSmall:
      boxesTooSmall += 1
      if right <= 1.001, bottom <= 1.001, min(right, bottom) > 0 { boxesWithinUnit += 1 }
    case .outside: boxesOutside += 1
    case .crowd: crowdBoxes += 1
    case .target: break
    }
    if use.kind != .tooSmall { reach = max(reach, right / size.x, bottom / size.y) }
    if use.isOverTheEdge, use.kind == .target || use.kind == .crowd { boxesOverTheEdge += 1 }
  }
}
