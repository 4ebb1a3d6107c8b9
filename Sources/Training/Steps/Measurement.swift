import COCO
import Primitives

/// By which rule detections are measured.
enum EvaluationRule: Equatable {
  case coco(EvaluationParameters)
  case voc(VOCParameters)
}

/// What an evaluation measured.
enum Measurement {
  case coco(Evaluation.Numbers)
  case voc(VOCResult)

  /// mmdetection's names and rounding.
  var metrics: [(String, Double)] {
    switch self {
    case .coco(let numbers): numbers.metrics
    case .voc(let result): result.metrics.map { ($0.name, $0.value) }
    }
  }

  /// mmdetection's line of numbers to be copied; nil where there is none.
  var copyPaste: String? {
    if case .coco(let numbers) = self { numbers.classes?.mmdetectionCopyPaste } else { nil }
  }

  /// All digits of what the rule's own program would say.
  var statistics: [(name: String, value: Double)] {
    switch self {
    case .coco(let numbers): (numbers.classes ?? numbers.proposals)?.namedStatistics ?? []
    case .voc(let result):
      zip(result.parameters.overlaps, result.means).map { (VOCResult.name($0), $1) }
    }
  }

  /// Lines for people.
  var summary: [String] {
    switch self {
    case .coco(let numbers): numbers.summary
    case .voc(let result):
      zip(result.parameters.overlaps, result.means).map { overlap, mean in
        let rule = result.parameters.usesElevenPoints ? "11 points" : "area"
        return "Average precision (\(rule)) at IoU \(fixed(overlap, 2)): mAP = \(fixed(mean, 4))"
      }
    }
  }

  /// The average precision of each class, in mmdetection 3's names: `cat_precision`; null for a class without objects.
  func classPrecisions(_ classes: [String]) -> [(String, JSON)] {
    zip(classes, precisionsOfLabels.all).map { ("\($0)_precision", .decimal($1, digits: 3)) }
  }

  /// The same as numbers; none for a class without objects.
  func classMetrics(_ classes: [String]) -> [(String, Double)] {
    zip(classes, precisionsOfLabels.all).filter { $0.1.isFinite }.map { ("\($0.0)_precision", $0.1) }
  }

  /// A line for each class with its AP and AP at IoU 0.5, below a heading (`classwise`).
  func classTable(_ classes: [String]) -> [String] {
    let (all, half) = precisionsOfLabels
    guard !all.isEmpty else { return [] }
    let width = max(8, classes.map(\.count).max() ?? 0)
    func padded(_ text: String) -> String { text.padding(toLength: width, withPad: " ", startingAt: 0) }
    return ["\(padded("category"))  AP     AP50"]
      + classes.indices.map { "\(padded(classes[$0]))  \(fixed(all[$0], 3))  \(fixed(half[$0], 3))" }
  }

  /// The average precision of each label, over all thresholds and at IoU 0.5; NaN for one without objects. Empty where
  /// classes aren't measured.
  var precisionsOfLabels: (all: [Double], half: [Double]) {
    switch self {
    case .coco(let numbers):
      return (numbers.classes?.averagePrecisionOfLabels ?? [], numbers.classes?.averagePrecision50OfLabels ?? [])
    case .voc(let result):
      let precisions = result.classes.map { $0.map { $0.objects > 0 ? Double($0.averagePrecision) : .nan } }
      let labels = result.classes[0].indices
      let means = labels.map { label in precisions.reduce(0) { $0 + $1[label] } / Double(precisions.count) }
      let half = result.parameters.overlaps.firstIndex(of: 0.5).map { precisions[$0] } ?? labels.map { _ in .nan }
      return (means, half)
    }
  }
}

extension RunConfiguration {
  /// How a data set is measured, in a training and by `test`: by the rule of its kind.
  func evaluationRule(for dataset: DatasetConfiguration) -> EvaluationRule {
    guard case .voc = dataset.sources[0].format else { return .coco(evaluationParameters) }
    var parameters = VOCParameters()
    if let overlaps = evaluation?.iouThr { parameters.overlaps = overlaps }
    parameters.usesElevenPoints = VOCYear(of: dataset.imgPrefix) == .voc2007
    return .voc(parameters)
  }
}
