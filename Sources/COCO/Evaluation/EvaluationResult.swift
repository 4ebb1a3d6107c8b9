import Foundation

/// Precision and recall at all thresholds, and the statistics made of them. -1 stands for "nothing to find".
public struct EvaluationResult: Hashable, Sendable {
  public let labelCount: Int
  /// Ascending.
  public let maxDets: [Int]
  /// [IoU threshold (10), recall threshold (101), label, size range (4), maxDets].
  public private(set) var precision: [Double]
  /// [IoU threshold (10), label, size range (4), maxDets].
  public private(set) var recall: [Double]

  init(labelCount: Int, maxDets: [Int]) {
    (self.labelCount, self.maxDets) = (labelCount, maxDets)
    let count = EvaluationThresholds.overlaps.count * labelCount * SizeRange.allCases.count * maxDets.count
    recall = Array(repeating: -1, count: count)
    precision = Array(repeating: -1, count: count * EvaluationThresholds.recalls.count)
  }

  private func offset(outer: Int, label: Int, _ range: SizeRange, limit: Int) -> Int {
    ((outer * labelCount + label) * SizeRange.allCases.count + range.rawValue) * maxDets.count + limit
  }

  mutating func setRecall(_ value: Double, threshold: Int, label: Int, _ range: SizeRange, limit: Int) {
    recall[offset(outer: threshold, label: label, range, limit: limit)] = value
  }

  mutating func setPrecisions(_ values: [Double], threshold: Int, label: Int, _ range: SizeRange, limit: Int) {
    for (r, value) in values.enumerated() {
      precision[offset(outer: threshold * values.count + r, label: label, range, limit: limit)] = value
    }
  }

  // MARK: Statistics

  /// The mean over labels and recalls of what there is to find; -1 where there is nothing.
  private func averagePrecision(
    _ thresholds: Range<Int>, _ range: SizeRange, _ maxDet: Int, labels: Range<Int>
  ) -> Double {
    guard let limit = maxDets.firstIndex(of: maxDet) else { return -1 }
    let recallCount = EvaluationThresholds.recalls.count
    return mean(
      (thresholds.lowerBound * recallCount..<thresholds.upperBound * recallCount).flatMap { outer in
        labels.map { precision[offset(outer: outer, label: $0, range, limit: limit)] }
      })
  }

  private func averageRecall(_ range: SizeRange, _ maxDet: Int) -> Double {
    guard let limit = maxDets.firstIndex(of: maxDet) else { return -1 }
    return mean(
      EvaluationThresholds.overlaps.indices.flatMap { threshold in
        (0..<labelCount).map { recall[offset(outer: threshold, label: $0, range, limit: limit)] }
      })
  }

  private func mean(_ values: [Double]) -> Double {
    let present = values.filter { $0 > -1 }
    return present.isEmpty ? -1 : present.reduce(0, +) / Double(present.count)
  }

  /// The twelve of pycocotools' `summarize`. As there, the first is always at 100 detections, whatever `maxDets` says;
  /// the other precisions are at the largest number.
  public var statistics: [Double] { Self.rows(maxDets).map(value) }

  /// The twelve lines that pycocotools prints.
  public var summary: [String] { Self.rows(maxDets).map { $0.line(value($0)) } }

  private func value(_ row: StatisticRow) -> Double {
    row.isPrecision
      ? averagePrecision(row.thresholds, row.range, row.maxDet, labels: 0..<labelCount)
      : averageRecall(row.range, row.maxDet)
  }

  private static func rows(_ maxDets: [Int]) -> [StatisticRow] {
    let every = EvaluationThresholds.overlaps.indices
    let half = EvaluationThresholds.half..<EvaluationThresholds.half + 1
    let threeQuarters = EvaluationThresholds.threeQuarters..<EvaluationThresholds.threeQuarters + 1
    let sizes: [SizeRange] = [.small, .medium, .large]
    var rows = [
      StatisticRow(isPrecision: true, thresholds: every, range: .all, maxDet: 100),
      StatisticRow(isPrecision: true, thresholds: half, range: .all, maxDet: maxDets[2]),
      StatisticRow(isPrecision: true, thresholds: threeQuarters, range: .all, maxDet: maxDets[2]),
    ]
    rows += sizes.map { StatisticRow(isPrecision: true, thresholds: every, range: $0, maxDet: maxDets[2]) }
    rows += maxDets.map { StatisticRow(isPrecision: false, thresholds: every, range: .all, maxDet: $0) }
    rows += sizes.map { StatisticRow(isPrecision: false, thresholds: every, range: $0, maxDet: maxDets[2]) }
    return rows
  }

  /// The average precision of each label over all IoU thresholds and sizes, at the largest number of detections
  /// (mmdetection's `classwise` takes the same); NaN for a label that has no ground truth.
  public var averagePrecisionOfLabels: [Double] { labelPrecisions(EvaluationThresholds.overlaps.indices) }

  /// The same at IoU 0.5.
  public var averagePrecision50OfLabels: [Double] {
    labelPrecisions(EvaluationThresholds.half..<EvaluationThresholds.half + 1)
  }

  private func labelPrecisions(_ thresholds: Range<Int>) -> [Double] {
    (0..<labelCount).map { label in
      let value = averagePrecision(thresholds, .all, maxDets[2], labels: label..<label + 1)
      return value == -1 ? .nan : value
    }
  }

  // MARK: mmdetection

  /// The limits of `CocoDataset.evaluate` (`proposal_nums`). With them `bbox_mAP` counts 100 detections of a class in a
  /// picture, and the other five count 1000.
  public static let mmdetectionMaxDets = [100, 300, 1000]

  /// What `CocoDataset.evaluate` returns and logs: `bbox_mAP`, `_50`, `_75`, `_s`, `_m`, `_l`, rounded to 3 decimals.
  public var mmdetectionMetrics: [(name: String, value: Double)] {
    let names = ["mAP", "mAP_50", "mAP_75", "mAP_s", "mAP_m", "mAP_l"]
    return zip(names, statistics).map { ("bbox_\($0)", Double(threeDecimals($1))!) }
  }

  /// `bbox_mAP_copypaste`: the six with single spaces between them.
  public var mmdetectionCopyPaste: String { statistics.prefix(6).map(threeDecimals).joined(separator: " ") }
}

/// One of the twelve statistics.
private struct StatisticRow {
  let isPrecision: Bool
  let thresholds: Range<Int>
  let range: SizeRange
  let maxDet: Int

  func line(_ value: Double) -> String {
    let name = (isPrecision ? "Average Precision  (AP)" : "Average Recall     (AR)")
    let thresholds = EvaluationThresholds.overlaps[thresholds]
    let first = String(format: "%.2f", thresholds.first!)
    let overlap = thresholds.count == 1 ? "\(first)     " : "\(first):" + String(format: "%.2f", thresholds.last!)
    let area = "\(range)".leftPadded(to: 6)
    return " \(name) @[ IoU=\(overlap) | area=\(area) | maxDets=\("\(maxDet)".leftPadded(to: 3)) ] = "
      + threeDecimals(value)
  }
}

private func threeDecimals(_ value: Double) -> String { String(format: "%.3f", value) }

extension String {
  fileprivate func leftPadded(to width: Int) -> String {
    String(repeating: " ", count: max(0, width - count)) + self
  }
}
