/// COCO's bounding-box evaluation, with the results of pycocotools 2.0.11's `COCOeval`.
///
///     let evaluator = CocoEvaluator(imageIDs: ids, labelCount: 80, groundTruths: groundTruths)
///     print(evaluator.evaluate(detections).summary)
///
/// On several ranks: each calls `match` for its own pictures, the encoded matches are gathered, one calls `accumulate`.
public struct CocoEvaluator: Sendable {
  /// Ascending, without repetition.
  public let imageIDs: [Int64]
  public let labelCount: Int
  /// Ascending.
  public let maxDets: [Int]
  private let usesCategories: Bool
  /// By picture, those of a label in the order of the annotation file.
  private let groundTruths: [Int64: [EvaluationGroundTruth]]

  /// - Parameters:
  ///   - imageIDs: the pictures to evaluate; whatever lies in others is left out.
  ///   - maxDets: numbers of best detections of a class in a picture: three, as the statistics need them.
  ///   - usesCategories: false counts any class as right (`useCats = 0`).
  public init(
    imageIDs: some Sequence<Int64>, labelCount: Int, groundTruths: [EvaluationGroundTruth],
    maxDets: [Int] = [1, 10, 100], usesCategories: Bool = true
  ) {
    precondition(maxDets.count == 3, "the statistics need three limits of detections, not \(maxDets.count)")
    self.imageIDs = Set(imageIDs).sorted()
    self.labelCount = usesCategories ? labelCount : 1
    self.maxDets = maxDets.sorted()
    self.usesCategories = usesCategories
    self.groundTruths = Dictionary(grouping: groundTruths, by: \.imageID)
  }

  /// Matches and accumulates all pictures.
  public func evaluate(_ detections: [EvaluationDetection]) -> EvaluationResult {
    accumulate(match(detections, in: imageIDs))
  }

  /// The matches of some pictures of `imageIDs`, also of those where nothing was detected.
  public func match(_ detections: [EvaluationDetection], in images: some Sequence<Int64>) -> [ImageMatches] {
    let byImage = Dictionary(grouping: detections, by: \.imageID)
    let indices = Dictionary(uniqueKeysWithValues: zip(imageIDs, imageIDs.indices))
    return images.map { id in
      guard let index = indices[id] else { preconditionFailure("image \(id) is not one of the evaluator's") }
      return ImageMatches(imageIndex: index, classes: matches(in: id, byImage[id] ?? []))
    }
  }

  private func matches(in image: Int64, _ detections: [EvaluationDetection]) -> [ClassMatches] {
    let groundTruths = byLabel(groundTruths[image] ?? [], \.label)
    let detections = byLabel(detections, \.label)
    return Set(groundTruths.keys).union(detections.keys).sorted().map { label in
      precondition((0..<labelCount).contains(label), "label \(label) of image \(image) is not below \(labelCount)")
      return ClassMatcher(
        groundTruths: groundTruths[label] ?? [], detections: detections[label] ?? [], limit: maxDets[2]
      ).matches(label: label)
    }
  }

  /// Without categories, everything has label 0 and stands in the order of its former labels.
  private func byLabel<Item>(_ items: [Item], _ label: (Item) -> Int) -> [Int: [Item]] {
    let groups = Dictionary(grouping: items, by: label)
    return usesCategories || items.isEmpty ? groups : [0: groups.keys.sorted().flatMap { groups[$0]! }]
  }

  /// The statistics of pictures matched anywhere, in any order; each picture once.
  public func accumulate(_ images: [ImageMatches]) -> EvaluationResult {
    let images = images.sorted { $0.imageIndex < $1.imageIndex }
    for (image, next) in zip(images, images.dropFirst()) {
      precondition(image.imageIndex != next.imageIndex, "image \(imageIDs[image.imageIndex]) was evaluated twice")
    }
    var result = EvaluationResult(labelCount: labelCount, maxDets: maxDets)
    let classes = Dictionary(grouping: images.lazy.flatMap(\.classes), by: \.label)
    for (label, matches) in classes { ClassCurves(matches, maxDets: maxDets).write(to: &result, label: label) }
    return result
  }
}

/// All detections of one class in the order of scores, and their precision and recall.
private struct ClassCurves {
  private struct Entry {
    let match: DetectionMatch
    /// The place among the detections of its picture.
    let rank: Int
  }

  private let entries: [Entry]
  private let groundTruthCounts: [Int]
  private let maxDets: [Int]

  init(_ images: [ClassMatches], maxDets: [Int]) {
    let entries = images.flatMap { $0.detections.enumerated().map { Entry(match: $1, rank: $0) } }
    self.entries = stableOrder(byDescending: entries.map(\.match.score)).map { entries[$0] }
    groundTruthCounts = SizeRange.allCases.map { range in
      images.reduce(0) { $0 + $1.groundTruthCounts[range.rawValue] }
    }
    self.maxDets = maxDets
  }

  func write(to result: inout EvaluationResult, label: Int) {
    for range in SizeRange.allCases where groundTruthCounts[range.rawValue] > 0 {
      for (limit, maxDet) in maxDets.enumerated() {
        let counted = entries.filter { $0.rank < maxDet }
        for threshold in EvaluationThresholds.overlaps.indices {
          let curve = curve(counted, range, threshold)
          result.setRecall(curve.recalls.last ?? 0, threshold, label, range, limit)
          result.setPrecisions(sampled(curve), threshold, label, range, limit)
        }
      }
    }
  }

  /// Recall and precision after each detection that is not ignored, the precision made monotonous: the largest one
  /// at this recall or a higher one.
  private func curve(
    _ entries: [Entry], _ range: SizeRange, _ threshold: Int
  ) -> (recalls: [Double], precisions: [Double]) {
    let bit = DetectionMatch.bit(range, threshold)
    let count = Double(groundTruthCounts[range.rawValue])
    var (truePositives, falsePositives) = (0.0, 0.0)
    var (recalls, precisions): ([Double], [Double]) = ([], [])
    for entry in entries where entry.match.ignored & bit == 0 {
      if entry.match.matched & bit != 0 { truePositives += 1 } else { falsePositives += 1 }
      recalls.append(truePositives / count)
      precisions.append(truePositives / (falsePositives + truePositives + Double.ulpOfOne))
    }
    for i in precisions.indices.dropFirst().reversed() { precisions[i - 1] = max(precisions[i - 1], precisions[i]) }
    return (recalls, precisions)
  }

  /// The precision at each recall threshold, 0 where that recall is not reached.
  private func sampled(_ curve: (recalls: [Double], precisions: [Double])) -> [Double] {
    var position = 0
    return EvaluationThresholds.recalls.map { recall in
      while position < curve.recalls.count, curve.recalls[position] < recall { position += 1 }
      return position < curve.precisions.count ? curve.precisions[position] : 0
    }
  }
}
