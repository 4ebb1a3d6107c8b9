/// What is measured: pycocotools' `Params`, and the options of mmdetection's `CocoDataset.evaluate`.
public struct EvaluationParameters: Hashable, Sendable {
  /// What of it is measured.
  public var metrics = [EvaluationMetric.bbox]
  /// The IoU thresholds (`iouThrs`, `iou_thrs`), ascending.
  public var overlaps = Self.standardOverlaps
  /// Ranges of object sizes besides all of them.
  public var areaRanges = AreaRange.standard
  /// How many of the best detections of a class in a picture the twelve statistics count: three numbers, ascending.
  public var maxDets = [1, 10, 100]
  /// The same for mmdetection's numbers (`proposal_nums`).
  public var proposalNums = [100, 300, 1000]
  /// Which of mmdetection's numbers are reported (`metric_items`), of `metricNames`; nil: all average precisions.
  public var metricItems: [String]?

  public init() {}

  /// 0.5, 0.55, … 0.95, bit for bit as NumPy's `linspace` makes them.
  public static let standardOverlaps = (0..<10).map { 0.5 + Double($0) * ((0.95 - 0.5) / 9) }
  /// 0, 0.01, … 1: `recThrs`.
  static let recalls = (0...100).map { Double($0) * 0.01 }
  /// The most pairs of a range and a threshold, and the most ranges with that of all sizes.
  public static let (maximumPairs, maximumRanges) = (MatchBits.capacity, 16)

  /// All sizes, then the others.
  var ranges: [AreaRange] { [.all] + areaRanges }
  /// All numbers of detections that are counted, ascending.
  var limits: [Int] { Set(maxDets + proposalNums).sorted() }

  /// What mmdetection's numbers can be called here, without `bbox_`: `mAP`, `mAP_50`, `AR@100`, `AR_s@1000`. Those at a
  /// threshold that isn't among `overlaps` are left out.
  public var metricNames: [String] {
    StatisticRow.all(proposalNums, self).filter { $0.overlap.map(overlaps.contains) ?? true }.map(\.name)
  }

  /// The numbers that are reported, in mmdetection's names: `bbox_mAP`; `AR@100`.
  public var reportedNames: [String] {
    metrics.flatMap { metric in
      switch metric {
      case .bbox: (metricItems ?? metricNames.filter { $0.hasPrefix("mAP") }).map { "bbox_\($0)" }
      case .proposal: metricItems ?? metricNames.filter { $0.hasPrefix("AR") }
      case .proposalFast: proposalNums.map { "AR@\($0)" }
      }
    }
  }
}

/// mmdetection's `metric`.
public enum EvaluationMetric: String, Sendable, CaseIterable {
  /// Boxes with their classes.
  case bbox
  /// Boxes of whatever class (`useCats = 0`).
  case proposal
  /// The recall alone, by a rule of mmdetection's own (`ProposalRecall`).
  case proposalFast = "proposal_fast"
}

/// A range of object sizes that is evaluated by itself. The bounds belong to it.
public struct AreaRange: Hashable, Sendable {
  public let name: String
  /// In square pixels.
  public let areas: ClosedRange<Double>
  /// What mmdetection's names end in: `s` of `mAP_s`.
  let abbreviation: String

  public init(_ name: String, _ areas: ClosedRange<Double>) { self.init(name, areas, abbreviation: name) }

  private init(_ name: String, _ areas: ClosedRange<Double>, abbreviation: String) {
    (self.name, self.areas, self.abbreviation) = (name, areas, abbreviation)
  }

  static let all = AreaRange("all", 0...1e10, abbreviation: "")
  /// COCO's.
  public static let standard = [
    AreaRange("small", 0...1024, abbreviation: "s"), AreaRange("medium", 1024...9216, abbreviation: "m"),
    AreaRange("large", 9216...1e10, abbreviation: "l"),
  ]
}
