import Primitives

/// COCO's bounding-box evaluation, with the results of pycocotools 2.0.11's `COCOeval`.
///
///     let evaluator = CocoEvaluator(imageIDs: ids, labelCount: 80, groundTruths: groundTruths)
///     print(evaluator.evaluate(detections).summary)
///
/// Pictures may be matched apart from each other (`match`), and accumulated together.
public struct CocoEvaluator: Sendable {
  /// Ascending, without repetition.
  public let imageIDs: [Int64]
  public let labelCount: Int
  public let parameters: EvaluationParameters
  /// Ascending.
  private let limits: [Int]
  private let usesCategories: Bool
  private let imageTable: IdentifierTable
  private let groundTruths: ObjectsByImage<EvaluationGroundTruth>

  /// - Parameters:
  ///   - imageIDs: the pictures to evaluate; whatever lies in others is left out.
  ///   - labelCount: the number of classes; labels are below it.
  ///   - groundTruths: the objects to be found.
  ///   - parameters: what is measured.
  ///   - usesCategories: false counts any class as right (`useCats = 0`).
  public init(
    imageIDs: some Sequence<Int64>, labelCount: Int, groundTruths: [EvaluationGroundTruth],
    parameters: EvaluationParameters = EvaluationParameters(), usesCategories: Bool = true
  ) {
    for limits in [parameters.maxDets, parameters.proposalNums] {
      require(limits.count == 3, "the statistics need three limits of detections, not \(limits)")
    }
    let pairs = parameters.ranges.count * parameters.overlaps.count
    require(
      pairs <= EvaluationParameters.maximumPairs && parameters.ranges.count <= EvaluationParameters.maximumRanges,
      "\(pairs) pairs of size range and threshold are too many")
    self.imageIDs = Set(imageIDs).sorted()
    self.labelCount = usesCategories ? labelCount : 1
    self.parameters = parameters
    limits = parameters.limits
    self.usesCategories = usesCategories
    imageTable = IdentifierTable(self.imageIDs)
    self.groundTruths = ObjectsByImage(groundTruths, images: imageTable, imageID: \.imageID, label: \.label)
  }

  /// Matches and accumulates all pictures.
  public func evaluate(_ detections: [EvaluationDetection]) -> EvaluationResult {
    accumulate(match(detections, in: imageIDs))
  }

  /// The matches of some pictures of `imageIDs`, also of those where nothing was detected.
  public func match(_ detections: [EvaluationDetection], in images: some Sequence<Int64>) -> [ImageMatches] {
    let detections = ObjectsByImage(detections, images: imageTable, imageID: \.imageID, label: \.label)
    var matcher = ClassMatcher(parameters)
    return images.map { id in
      guard let index = imageTable[id] else { bug("image \(id) is not one of the evaluator's") }
      return ImageMatches(
        imageIndex: index, classes: classes(groundTruths.ofImage(index), detections.ofImage(index), &matcher))
    }
  }

  /// Class by class. Without categories, everything has label 0 and stands in the order of its former labels.
  private func classes(
    _ groundTruths: ArraySlice<EvaluationGroundTruth>, _ detections: ArraySlice<EvaluationDetection>,
    _ matcher: inout ClassMatcher
  ) -> [ClassMatches] {
    var (groundTruths, detections, classes) = (groundTruths, detections, [ClassMatches]())
    while !groundTruths.isEmpty || !detections.isEmpty {
      let label = min(groundTruths.first?.label ?? .max, detections.first?.label ?? .max)
      let objects = groundTruths.prefix { !usesCategories || $0.label == label }
      let found = detections.prefix { !usesCategories || $0.label == label }
      groundTruths = groundTruths.dropFirst(objects.count)
      detections = detections.dropFirst(found.count)
      require(!usesCategories || (0..<labelCount).contains(label), "label \(label) is not below \(labelCount)")
      classes.append(
        matcher.matches(
          label: usesCategories ? label : 0, groundTruths: objects,
          detections: best(found, limit: limits[limits.count - 1])))
    }
    return classes
  }

  /// In descending order of scores; equal scores keep their order.
  private func best(_ detections: ArraySlice<EvaluationDetection>, limit: Int) -> [EvaluationDetection] {
    if detections.count == 1 { return Array(detections.prefix(limit)) }
    return stableOrder(byDescending: detections.map(\.score)).prefix(limit).map {
      detections[detections.startIndex + $0]
    }
  }

  /// The statistics of pictures matched anywhere, in any order; each picture once.
  public func accumulate(_ images: [ImageMatches]) -> EvaluationResult {
    let images = images.sorted { $0.imageIndex < $1.imageIndex }
    for (image, next) in zip(images, images.dropFirst()) {
      require(image.imageIndex != next.imageIndex, "image \(imageIDs[image.imageIndex]) was evaluated twice")
    }
    var result = EvaluationResult(labelCount: labelCount, parameters)
    var classes = [ClassCurves](repeating: ClassCurves(), count: labelCount)
    for matches in images.lazy.flatMap(\.classes) { classes[matches.label].append(matches) }
    for label in classes.indices { classes[label].write(to: &result, label: label) }
    return result
  }
}

/// Objects in the order of their pictures, in a picture by labels; those of a label keep their order.
private struct ObjectsByImage<Object: Sendable>: Sendable {
  private let objects: [Object]
  /// Where each picture's begin, and their number at the end.
  private let starts: [Int]

  /// Objects in other pictures are left out.
  init(_ objects: [Object], images: IdentifierTable, imageID: (Object) -> Int64, label: (Object) -> Int) {
    let (places, labels) = (objects.map { images[imageID($0)] }, objects.map(label))
    var starts = [Int](repeating: 0, count: images.count + 1)
    for place in places.lazy.compactMap({ $0 }) { starts[place + 1] += 1 }
    for image in 0..<images.count { starts[image + 1] += starts[image] }
    var (next, order) = (starts, [Int](repeating: 0, count: starts[images.count]))
    for (index, place) in places.enumerated() {
      guard let place else { continue }
      order[next[place]] = index
      next[place] += 1
    }
    for image in 0..<images.count {
      order[starts[image]..<starts[image + 1]].sort { (labels[$0], $0) < (labels[$1], $1) }
    }
    (self.starts, self.objects) = (starts, order.map { objects[$0] })
  }

  func ofImage(_ index: Int) -> ArraySlice<Object> { objects[starts[index]..<starts[index + 1]] }
}

/// All detections of one class in the order of scores, and their precision and recall.
private struct ClassCurves {
  private struct Entry {
    let match: DetectionMatch
    /// The place among the detections of its picture.
    let rank: Int
  }

  private var entries: [Entry] = []
  private var groundTruthCounts = SIMD16<Int32>()
  private var largestRank = -1

  mutating func append(_ matches: ClassMatches) {
    groundTruthCounts &+= matches.groundTruthCounts
    for (rank, match) in matches.detections.enumerated() { entries.append(Entry(match: match, rank: rank)) }
    largestRank = max(largestRank, matches.detections.count - 1)
  }

  func write(to result: inout EvaluationResult, label: Int) {
    let sorted = stableOrder(byDescending: entries.map(\.match.score)).map { entries[$0] }
    let (limits, thresholds) = (result.limits, result.parameters.overlaps.count)
    for (limit, maxDet) in limits.enumerated() {
      // The limit before has counted all there are.
      if limit > 0, largestRank < limits[limit - 1] {
        result.repeatLimit(before: limit, label: label)
        continue
      }
      let counted = sorted.filter { $0.rank < maxDet }.map(\.match)
      var curve = PrecisionCurve(capacity: counted.count)
      for range in 0..<result.rangeCount where groundTruthCounts[range] > 0 {
        for threshold in 0..<thresholds {
          curve.follow(counted, bit: range * thresholds + threshold, count: Int(groundTruthCounts[range]))
          result.setRecall(curve.recall, threshold: threshold, label: label, range, limit: limit)
          result.setPrecisions(
            curve.sampledPrecisions, threshold: threshold, label: label, range, limit: limit)
        }
      }
    }
  }
}

/// Precision at each true positive. Between two of them the recall stays and the precision falls, so that no other place
/// matters.
private struct PrecisionCurve {
  /// How many false positives score higher than each true positive; one more place is written to.
  private var falsePositives: [Int]
  private var truePositives = 0
  private var count = 1.0

  init(capacity: Int) { falsePositives = [Int](repeating: 0, count: capacity + 1) }

  /// - Parameters:
  ///   - matches: in descending order of scores.
  ///   - bit: of the size range and the IoU threshold.
  ///   - count: the ground truths to be found.
  mutating func follow(_ matches: [DetectionMatch], bit: Int, count: Int) {
    var (found, wrong) = (0, 0)
    for match in matches {
      // Without branches, which could not be predicted.
      let counts = 1 - match.ignored.value(bit)
      let isFound = match.matched.value(bit) & counts
      falsePositives[found] = wrong
      found += isFound
      wrong += counts - isFound
    }
    (truePositives, self.count) = (found, Double(count))
  }

  var recall: Double { Double(truePositives) / count }

  /// At each recall threshold the largest precision at that recall or a higher one, 0 where it is not reached.
  var sampledPrecisions: [Double] {
    var precisions = (0..<truePositives).map { place in
      Double(place + 1) / (Double(falsePositives[place]) + Double(place + 1) + Double.ulpOfOne)
    }
    for i in precisions.indices.dropFirst().reversed() { precisions[i - 1] = max(precisions[i - 1], precisions[i]) }
    var place = 0
    return EvaluationParameters.recalls.map { recall in
      while place < truePositives, Double(place + 1) / count < recall { place += 1 }
      return place < truePositives ? precisions[place] : 0
    }
  }
}
