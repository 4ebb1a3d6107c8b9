import Primitives

/// Which anchors of a batch the RPN's losses look at, and what the network should have said there.
public struct AnchorTargets: Sendable {
  /// The samples of one image, by anchor number: level by level, then row, column, base anchor.
  public struct Image: Sendable {
    /// Ascending.
    public let positives: [Int]
    /// Ascending.
    public let negatives: [Int]
    /// The anchors of the positives.
    public let positiveBoxes: [Box]
    /// `[positives, 4]`: deltas, or with `reg_decoded_bbox` ground truths.
    public let positiveTargets: [Float]
  }

  /// The samples of a whole batch by the cells that they stand on: the losses look at no others.
  public struct Cells: Sendable {
    /// For each level, the pixels `[N, H, W]` of its map, ascending. They are numbered through over all levels.
    public fileprivate(set) var ofLevel: [[Int32]]
    /// Anchors as elements of `[cells, A]`.
    public fileprivate(set) var positives: [Int32] = []
    public fileprivate(set) var negatives: [Int32] = []
    public fileprivate(set) var positiveBoxes: [Box] = []
    /// `[positives, 4]`: deltas, or with `reg_decoded_bbox` ground truths.
    public fileprivate(set) var positiveTargets: [Float] = []
  }

  public let images: [Image]
  /// The weight of a positive in the classification loss; negatives have 1.
  public let positiveWeight: Float
  /// The number of anchors of an image on each level.
  public let anchorsALevel: [Int]
  fileprivate let isSampled: Bool

  /// Σ over images of max(positives, 1): an image without positives counts as one (mmdetection).
  public var numTotalPos: Int { images.reduce(0) { $0 + max($1.positives.count, 1) } }
  /// Σ over images of max(negatives, 1).
  public var numTotalNeg: Int { images.reduce(0) { $0 + max($1.negatives.count, 1) } }
  /// What mmdetection divides both RPN losses by, on every level: its `num_total_samples`. With `FocalLoss`, which
  /// takes all anchors, the positives alone count.
  public var averageFactor: Double { Double(isSampled ? numTotalPos + numTotalNeg : numTotalPos) }

  /// - Parameter anchorsACell: A.
  public func cells(anchorsACell: Int) -> Cells {
    var sampled: [[Int32]] = anchorsALevel.map { _ in [] }
    for (number, image) in images.enumerated() {
      forEachElement(of: image.positives + image.negatives, image: number) { level, element in
        sampled[level].append(element / Int32(anchorsACell))
      }
    }
    var cells = Cells(ofLevel: sampled.map { Set($0).sorted() })
    let number = numbers(of: cells.ofLevel)
    func elements(_ anchors: [Int], of image: Int) -> [Int32] {
      var elements: [Int32] = []
      forEachElement(of: anchors, image: image) { level, element in
        let (cell, anchor) = element.quotientAndRemainder(dividingBy: Int32(anchorsACell))
        elements.append(number[level][cell]! * Int32(anchorsACell) + anchor)
      }
      return elements
    }
    for (index, image) in images.enumerated() {
      cells.positives += elements(image.positives, of: index)
      cells.negatives += elements(image.negatives, of: index)
      cells.positiveBoxes += image.positiveBoxes
      cells.positiveTargets += image.positiveTargets
    }
    return cells
  }

  /// For each level, the number of each cell.
  private func numbers(of cells: [[Int32]]) -> [[Int32: Int32]] {
    var next: Int32 = 0
    return cells.map { cells in
      defer { next += Int32(cells.count) }
      return Dictionary(uniqueKeysWithValues: zip(cells, next...))
    }
  }

  /// Elements of the level's `[N, H, W, A]`.
  private func forEachElement(of anchors: [Int], image: Int, _ body: (_ level: Int, _ element: Int32) -> Void) {
    for anchor in anchors {
      var (level, start) = (0, 0)
      while anchor >= start + anchorsALevel[level] {
        start += anchorsALevel[level]
        level += 1
      }
      body(level, Int32(image * anchorsALevel[level] + anchor - start))
    }
  }
}

/// Assigns and samples the anchors of each image; the targets part of mmdetection's `RPNHead`.
public struct AnchorTargeter {
  private let configuration: RPNHeadConfiguration
  private let generator: AnchorGenerator
  private let assigner: any Assigner
  private let sampler: any Sampler
  private let regression: BoxRegression

  public init(_ configuration: RPNHeadConfiguration) {
    self.configuration = configuration
    generator = AnchorGenerator(configuration.anchorGenerator)
    assigner = configuration.assigner.make()
    sampler = configuration.sampler.make()
    regression = configuration.regression
  }

  /// - Parameters:
  ///   - featmapSizes: the maps' sizes, common to the batch.
  ///   - metas: of each image.
  ///   - targets: the ground truths of each image.
  ///   - randoms: a generator for each image, keyed by it.
  public func targets(
    featmapSizes: [ImageSize], metas: [ImageMeta], targets: [ImageTargets], randoms: [KeyedRandom]
  ) throws -> AnchorTargets {
    let levels = generator.gridAnchors(featmapSizes: featmapSizes)
    let anchors = levels.flatMap { $0 }
    let images = try metas.indices.map { image in
      let flags = generator.validFlags(featmapSizes: featmapSizes, padShape: metas[image].padShape)
      let isInside = AnchorGenerator.anchorInsideFlags(
        anchors, validFlags: flags.flatMap { $0 }, imgShape: metas[image].imgShape,
        allowedBorder: configuration.allowedBorder)
      return try samples(of: anchors, isInside: isInside, targets[image], randoms[image])
    }
    return AnchorTargets(
      images: images, positiveWeight: configuration.posWeight <= 0 ? 1 : configuration.posWeight,
      anchorsALevel: levels.map(\.count), isSampled: configuration.lossCls.isSampled)
  }

  /// An image without any anchor inside has no samples; mmdetection fails there.
  private func samples(
    of anchors: [Box], isInside: [Bool], _ targets: ImageTargets, _ random: KeyedRandom
  ) throws -> AnchorTargets.Image {
    var random = random
    let inside = anchors.indices.filter { isInside[$0] }
    let boxes = inside.map { anchors[$0] }
    let assigned = assigner.assign(
      boxes, gtBoxes: targets.gtBoxes, gtLabels: nil, gtBoxesIgnore: targets.gtBoxesIgnore)
    let sampled = try sampler.sample(
      SamplingCandidates(assigned: assigned, boxes: boxes, gtBoxes: targets.gtBoxes), random: &random)
    return AnchorTargets.Image(
      positives: sampled.posInds.map { inside[$0] }, negatives: sampled.negInds.map { inside[$0] },
      positiveBoxes: Array(sampled.posBoxes),
      positiveTargets: regression.targets(Array(sampled.posBoxes), gtBoxes: sampled.posGtBoxes))
  }
}
