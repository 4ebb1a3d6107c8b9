import Foundation

/// One of the statistics that are made of precision and recall.
struct StatisticRow {
  let isPrecision: Bool
  /// The IoU threshold; nil for the mean over all of them.
  let overlap: Double?
  /// The size range: its position, 0 for all sizes.
  let range: Int
  let maxDet: Int
  private let parameters: EvaluationParameters

  /// pycocotools' twelve, or as many as there are size ranges.
  /// - Parameter limits: three numbers of detections, ascending.
  static func all(_ limits: [Int], _ parameters: EvaluationParameters) -> [StatisticRow] {
    let last = limits[limits.count - 1]
    func row(isPrecision: Bool, _ maxDet: Int, overlap: Double? = nil, range: Int = 0) -> StatisticRow {
      StatisticRow(isPrecision: isPrecision, overlap: overlap, range: range, maxDet: maxDet, parameters: parameters)
    }
    let sizes = parameters.ranges.indices.dropFirst()
    return [
      row(isPrecision: true, limits.contains(100) ? 100 : last), row(isPrecision: true, last, overlap: 0.5),
      row(isPrecision: true, last, overlap: 0.75),
    ]
      + sizes.map { row(isPrecision: true, last, range: $0) } + limits.map { row(isPrecision: false, $0) }
      + sizes.map { row(isPrecision: false, last, range: $0) }
  }

  private var areaRange: AreaRange { parameters.ranges[range] }
  private var percent: String { overlap.map { "\(Int($0 * 100))" } ?? "" }

  /// mmdetection's name, with the number of detections that is counted: `mAP`, `mAP_50`, `mAP_s`, `AR@100`, `AR_s@1000`.
  var name: String {
    let parts = [isPrecision ? "mAP" : "AR", percent, areaRange.abbreviation].filter { !$0.isEmpty }
    return parts.joined(separator: "_") + (isPrecision ? "" : "@\(maxDet)")
  }

  /// `AP`, `AP50`, `APs`, `AR100`, `ARs`; `AP_tiny` of a range of the user's.
  var shortName: String {
    if isPrecision || range > 0 {
      let isOwn = range > 0 && areaRange.abbreviation == areaRange.name
      return (isPrecision ? "AP" : "AR") + percent + (isOwn ? "_" : "") + areaRange.abbreviation
    }
    return "AR\(maxDet)"
  }

  /// As pycocotools prints it.
  func line(_ value: Double) -> String {
    let name = (isPrecision ? "Average Precision  (AP)" : "Average Recall     (AR)")
    func twoDecimals(_ value: Double?) -> String { String(format: "%.2f", value ?? 0) }
    let overlaps =
      overlap.map { "\(twoDecimals($0))     " }
      ?? "\(twoDecimals(parameters.overlaps.first)):\(twoDecimals(parameters.overlaps.last))"
    let area = areaRange.name.leftPadded(to: 6)
    return " \(name) @[ IoU=\(overlaps) | area=\(area) | maxDets=\("\(maxDet)".leftPadded(to: 3)) ] = "
      + threeDecimals(value)
  }
}

func threeDecimals(_ value: Double) -> String { String(format: "%.3f", value) }

extension String {
  fileprivate func leftPadded(to width: Int) -> String {
    String(repeating: " ", count: max(0, width - count)) + self
  }
}
