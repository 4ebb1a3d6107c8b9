import Primitives

/// Which anchors of a batch the RPN's losses look at, and what the network should have said there.
public struct AnchorTargets: Sendable {
  /// The samples of one image, by anchor number: level by level, then row, column, base anchor.
  public struct Image: Sendable {
    /// Ascending.
    public let positives: [Int]
    /// Ascending.
    public let negatives: [Int]
    /// `[positives, 4]`.
    public let positiveDeltas: [Float]
  }

  /// The samples of a whole batch on one level, by element of a `[N, H, W, A]` map.
  public struct Level: Sendable {
    public fileprivate(set) var positives: [Int32] = []
    public fileprivate(set) var negatives: [Int32] = []
    /// `[positives, 4]`.
    public fileprivate(set) var positiveDeltas: [Float] = []
  }

  public let images: [Image]
  /// The weight of a positive in the classification loss; negatives have 1.
  public let positiveWeight: Float
  /// The number of anchors of an image on each level.
  public let anchorsALevel: [Int]

  /// Σ over images of max(positives, 1): an image without positives counts as one (mmdetection).
  public var numTotalPos: Int { images.reduce(0) { $0 + max($1.positives.count, 1) } }
  /// Σ over images of max(negatives, 1).
  public var numTotalNeg: Int { images.reduce(0) { $0 + max($1.negatives.count, 1) } }
  /// What mmdetection divides both RPN losses by, on every level.
  public var numTotalSamples: Int { numTotalPos + numTotalNeg }

  /// The same samples level by level.
  public var levels: [Level] {
    var levels = anchorsALevel.map { _ in Level() }
    for (number, image) in images.enumerated() {
      forEachElement(of: image.positives, image: number) { level, element, i in
        levels[level].positives.append(element)
        levels[level].positiveDeltas.append(contentsOf: image.positiveDeltas[4 * i..<4 * i + 4])
      }
      forEachElement(of: image.negatives, image: number) { level, element, _ in
        levels[level].negatives.append(element)
      }
    }
    return levels
  }

  private func forEachElement(
    of anchors: [Int], image: Int, _ body: (_ level: Int, _ element: Int32, _ position: Int) -> Void
  ) {
    var (level, start) = (0, 0)
    for (i, anchor) in anchors.enumerated() {
      while anchor >= start + anchorsALevel[level] {
        start += anchorsALevel[level]
        level += 1
      }
      body(level, Int32(image * anchorsALevel[level] + anchor - start), i)
    }
  }
}

/// Assigns and samples the anchors of each image; the targets part of mmdetection's `RPNHead`.
public struct AnchorTargeter: Sendable {
  private let configuration: RPNHeadConfiguration
  private let generator: AnchorGenerator
  private let assigner: MaxIoUAssigner
  private let sampler: RandomSampler
  private let coder: DeltaXYWHBBoxCoder

  public init(_ configuration: RPNHeadConfiguration) {
    self.configuration = configuration
    generator = AnchorGenerator(configuration.anchorGenerator)
    assigner = MaxIoUAssigner(configuration.assigner)
    sampler = RandomSampler(configuration.sampler)
    coder = DeltaXYWHBBoxCoder(configuration.bboxCoder)
  }

  /// - Parameters:
  ///   - featmapSizes: the maps' sizes, common to the batch.
  ///   - randoms: a generator for each image, keyed by it.
  public func targets(
    featmapSizes: [ImageSize], metas: [ImageMeta], targets: [ImageTargets], randoms: [KeyedRandom]
  ) -> AnchorTargets {
    let levels = generator.gridAnchors(featmapSizes: featmapSizes)
    let anchors = levels.flatMap { $0 }
    let images = metas.indices.map { image in
      let flags = generator.validFlags(featmapSizes: featmapSizes, padShape: metas[image].padShape)
      let isInside = AnchorGenerator.anchorInsideFlags(
        anchors, validFlags: flags.flatMap { $0 }, imgShape: metas[image].imgShape,
        allowedBorder: configuration.allowedBorder)
      return samples(of: anchors, isInside: isInside, targets[image], randoms[image])
    }
    return AnchorTargets(
      images: images, positiveWeight: configuration.posWeight <= 0 ? 1 : configuration.posWeight,
      anchorsALevel: levels.map(\.count))
  }

  /// An image without any anchor inside has no samples; mmdetection fails there.
  private func samples(
    of anchors: [Box], isInside: [Bool], _ targets: ImageTargets, _ random: KeyedRandom
  ) -> AnchorTargets.Image {
    var random = random
    let inside = anchors.indices.filter { isInside[$0] }
    let boxes = inside.map { anchors[$0] }
    let assigned = assigner.assign(boxes, gtBoxes: targets.gtBoxes, gtBoxesIgnore: targets.gtBoxesIgnore)
    let sampled = sampler.sample(assigned, boxes: boxes, gtBoxes: targets.gtBoxes, random: &random)
    return AnchorTargets.Image(
      positives: sampled.posInds.map { inside[$0] }, negatives: sampled.negInds.map { inside[$0] },
      positiveDeltas: coder.encode(Array(sampled.posBoxes), gtBoxes: sampled.posGtBoxes))
  }
}
