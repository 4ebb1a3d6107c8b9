/// Precision and recall at all thresholds, and the statistics made of them. -1 stands for "nothing to find".
public struct EvaluationResult: Hashable, Sendable {
  public let labelCount: Int
  public let parameters: EvaluationParameters
  /// How many detections are counted, ascending.
  let limits: [Int]
  /// Size ranges with that of all sizes, which is the first.
  let rangeCount: Int
  /// [IoU threshold, recall threshold (101), label, size range, limit].
  public private(set) var precision: [Double]
  /// [IoU threshold, label, size range, limit].
  public private(set) var recall: [Double]

  init(labelCount: Int, _ parameters: EvaluationParameters) {
    (self.labelCount, self.parameters) = (labelCount, parameters)
    (limits, rangeCount) = (parameters.limits, parameters.ranges.count)
    let count = parameters.overlaps.count * labelCount * rangeCount * limits.count
    recall = Array(repeating: -1, count: count)
    precision = Array(repeating: -1, count: count * EvaluationParameters.recalls.count)
  }

  private func offset(outer: Int, label: Int, _ range: Int, limit: Int) -> Int {
    ((outer * labelCount + label) * rangeCount + range) * limits.count + limit
  }

  mutating func setRecall(_ value: Double, threshold: Int, label: Int, _ range: Int, limit: Int) {
    recall[offset(outer: threshold, label: label, range, limit: limit)] = value
  }

  mutating func setPrecisions(_ values: [Double], threshold: Int, label: Int, _ range: Int, limit: Int) {
    for (r, value) in values.enumerated() {
      precision[offset(outer: threshold * values.count + r, label: label, range, limit: limit)] = value
    }
  }

  /// All values of a label at a limit are those at the one before.
  mutating func repeatLimit(before limit: Int, label: Int) {
    for range in 0..<rangeCount {
      for threshold in parameters.overlaps.indices {
        let place = offset(outer: threshold, label: label, range, limit: limit)
        recall[place] = recall[place - 1]
      }
      for outer in 0..<parameters.overlaps.count * EvaluationParameters.recalls.count {
        let place = offset(outer: outer, label: label, range, limit: limit)
        precision[place] = precision[place - 1]
      }
    }
  }

  /// The curve of a label, of all sizes at the largest of `maxDets`; nil where there is nothing to find.
  func precisions(threshold: Int, label: Int) -> [Double]? {
    guard let limit = parameters.maxDets.last.flatMap(limits.firstIndex) else { return nil }
    let recalls = EvaluationParameters.recalls.count
    let values = (0..<recalls).map {
      precision[offset(outer: threshold * recalls + $0, label: label, 0, limit: limit)]
    }
    return values[0] == -1 ? nil : values
  }

  // MARK: Statistics

  /// The mean over labels and recalls of what there is to find; -1 where there is nothing.
  private func averagePrecision(_ thresholds: Range<Int>, _ range: Int, _ maxDet: Int, labels: Range<Int>) -> Double {
    guard let limit = limits.firstIndex(of: maxDet) else { return -1 }
    let recallCount = EvaluationParameters.recalls.count
    return mean(
      (thresholds.lowerBound * recallCount..<thresholds.upperBound * recallCount).flatMap { outer in
        labels.map { precision[offset(outer: outer, label: $0, range, limit: limit)] }
      })
  }

  private func averageRecall(_ range: Int, _ maxDet: Int) -> Double {
    guard let limit = limits.firstIndex(of: maxDet) else { return -1 }
    return mean(
      parameters.overlaps.indices.flatMap { threshold in
        (0..<labelCount).map { recall[offset(outer: threshold, label: $0, range, limit: limit)] }
      })
  }

  private func mean(_ values: [Double]) -> Double {
    let present = values.filter { $0 > -1 }
    return present.isEmpty ? -1 : present.reduce(0, +) / Double(present.count)
  }

  /// The position of an IoU threshold, or all of them; empty where it isn't measured.
  private func thresholds(_ overlap: Double?) -> Range<Int> {
    guard let overlap else { return parameters.overlaps.indices }
    return parameters.overlaps.firstIndex(of: overlap).map { $0..<$0 + 1 } ?? 0..<0
  }

  private func value(_ row: StatisticRow) -> Double {
    row.isPrecision
      ? averagePrecision(thresholds(row.overlap), row.range, row.maxDet, labels: 0..<labelCount)
      : averageRecall(row.range, row.maxDet)
  }

  /// The twelve of pycocotools' `summarize`, at `maxDets`; more or fewer with other size ranges. As there, the first is
  /// at 100 detections where that is one of the numbers; the other precisions are at the largest. (Where it isn't,
  /// pycocotools gives -1; detectron2's `COCOevalMaxDets` the largest, too.)
  public var statistics: [Double] { StatisticRow.all(parameters.maxDets, parameters).map(value) }

  /// The same with short names: `AP`, `AP50`, `APs`, `AR100`.
  public var namedStatistics: [(name: String, value: Double)] {
    StatisticRow.all(parameters.maxDets, parameters).map { ($0.shortName, value($0)) }
  }

  /// The lines that pycocotools prints of them.
  public var summary: [String] { StatisticRow.all(parameters.maxDets, parameters).map { $0.line(value($0)) } }

  /// The average precision of each label over all IoU thresholds and sizes, at the largest number of detections
  /// (mmdetection's `classwise` takes the same); NaN for a label that has no ground truth.
  public var averagePrecisionOfLabels: [Double] { labelPrecisions(nil) }

  /// The same at IoU 0.5.
  public var averagePrecision50OfLabels: [Double] { labelPrecisions(0.5) }

  private func labelPrecisions(_ overlap: Double?) -> [Double] {
    (0..<labelCount).map { label in
      let value = averagePrecision(thresholds(overlap), 0, parameters.proposalNums[2], labels: label..<label + 1)
      return value == -1 ? .nan : value
    }
  }

  // MARK: mmdetection

  /// What `CocoDataset.evaluate` returns and logs, rounded to 3 decimals: `bbox_mAP`, `_50`, `_75`, `_s`, `_m`, `_l`, or
  /// those that `metricItems` names. They count `proposalNums` detections.
  public var mmdetectionMetrics: [(name: String, value: Double)] {
    metrics { $0.isPrecision }.map { ("bbox_\($0.name)", $0.value) }
  }

  /// The same for `metric: proposal`: `AR@100`, `AR@300`, `AR@1000`, `AR_s@1000`, `_m`, `_l`.
  public var proposalMetrics: [(name: String, value: Double)] { metrics { !$0.isPrecision } }

  /// Those that `metricItems` names, or else some.
  private func metrics(_ isUsual: (StatisticRow) -> Bool) -> [(name: String, value: Double)] {
    let rows = StatisticRow.all(parameters.proposalNums, parameters)
    let items = parameters.metricItems ?? rows.filter(isUsual).map(\.name)
    return items.compactMap { item in
      rows.first { $0.name == item }.map { (item, Double(threeDecimals(value($0)))!) }
    }
  }

  /// `bbox_mAP_copypaste`: the average precisions with single spaces between them.
  public var mmdetectionCopyPaste: String {
    StatisticRow.all(parameters.proposalNums, parameters).filter(\.isPrecision).map { threeDecimals(value($0)) }
      .joined(separator: " ")
  }
}
