import Primitives

/// How one detection fared: a bit for each size range and IoU threshold (see `bit`).
public struct DetectionMatch: Hashable, Sendable {
  public var score: Double
  /// Set where a ground truth was found.
  package var matched: UInt64
  /// Set where the detection counts neither as right nor as wrong.
  package var ignored: UInt64

  package static func bit(_ range: SizeRange, _ threshold: Int) -> UInt64 {
    1 << UInt64(range.rawValue * EvaluationThresholds.overlaps.count + threshold)
  }

  /// Those of a size range at all thresholds.
  static func bits(_ range: SizeRange) -> UInt64 {
    let count = UInt64(EvaluationThresholds.overlaps.count)
    return ((1 << count) - 1) << (UInt64(range.rawValue) * count)
  }
}

/// The matches of one class in one picture.
public struct ClassMatches: Hashable, Sendable {
  public var label: Int
  /// Ground truths to be found, for each size range.
  package var groundTruthCounts: SIMD4<Int>
  /// In descending order of scores.
  package var detections: [DetectionMatch]
}

/// Everything that the statistics need of one picture. Pictures are matched independently of each other: each rank
/// matches its own, the flat arrays are gathered, and one rank accumulates. No rank has to pad its share.
public struct ImageMatches: Hashable, Sendable {
  /// The picture's position in the evaluator's `imageIDs`.
  public var imageIndex: Int
  /// Classes with neither a ground truth nor a detection are absent.
  public var classes: [ClassMatches]

  public init(imageIndex: Int, classes: [ClassMatches]) {
    (self.imageIndex, self.classes) = (imageIndex, classes)
  }

  /// As numbers for a collective. Each picture: its index and the number of classes; each class: the label, the counts
  /// for the size ranges, the number of detections; each detection: score and both bit sets (40 bits, exact in Double).
  /// The encodings of several ranks may be joined.
  public static func encode(_ images: [ImageMatches]) -> [Double] {
    var numbers: [Double] = []
    for image in images {
      numbers += [Double(image.imageIndex), Double(image.classes.count)]
      for matches in image.classes { append(matches, to: &numbers) }
    }
    return numbers
  }

  private static func append(_ matches: ClassMatches, to numbers: inout [Double]) {
    numbers.append(Double(matches.label))
    for range in SizeRange.allCases { numbers.append(Double(matches.groundTruthCounts[range.rawValue])) }
    numbers.append(Double(matches.detections.count))
    for detection in matches.detections {
      numbers += [detection.score, Double(detection.matched), Double(detection.ignored)]
    }
  }

  /// The pictures of `encode`'s numbers, in their order.
  public static func decode(_ numbers: [Double]) -> [ImageMatches] {
    var reader = NumberReader(numbers: numbers)
    var images: [ImageMatches] = []
    while !reader.isAtEnd {
      let (index, count) = (reader.integer(), reader.integer())
      images.append(ImageMatches(imageIndex: index, classes: (0..<count).map { _ in reader.classMatches() }))
    }
    return images
  }
}

/// Takes encoded matches apart, from the front.
private struct NumberReader {
  let numbers: [Double]
  private var position = 0

  init(numbers: [Double]) { self.numbers = numbers }

  var isAtEnd: Bool { position == numbers.count }

  mutating func number() -> Double {
    require(position < numbers.count, "the encoded matches end in the middle of a picture")
    defer { position += 1 }
    return numbers[position]
  }

  mutating func integer() -> Int { Int(number()) }

  mutating func classMatches() -> ClassMatches {
    let label = integer()
    var counts = SIMD4<Int>()
    for range in SizeRange.allCases { counts[range.rawValue] = integer() }
    let detections = (0..<integer()).map { _ in
      DetectionMatch(score: number(), matched: UInt64(number()), ignored: UInt64(number()))
    }
    return ClassMatches(label: label, groundTruthCounts: counts, detections: detections)
  }
}
