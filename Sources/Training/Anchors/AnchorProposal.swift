import Detection
import Foundation

/// Scales and ratios that fit a data set better.
///
/// Each octave of sizes counts by the root of its number of boxes, so that the rare ones are not given up: what is
/// made larger is the mean IoU of their best anchors, less the largest share of an octave that reached IoU 0.5 with
/// the configuration's anchors and does no more (a hundredth is let pass, and octaves of less than 10 boxes of the
/// sample). It goes step by step: each scale and each ratio is tried a bit larger and smaller, from half an octave
/// down to a sixteenth, until nothing helps. It begins with the configuration's own, or with the centres of clusters
/// of the boxes' ratios (one-dimensional k-means of their logarithms, begun at quantiles) and scales that go with
/// them, whichever is better. Nothing is drawn.
struct AnchorProposal {
  /// Ascending, with the digits that are printed.
  let scales: [Float]
  let ratios: [Float]

  private static let sampleSize = 3000

  /// - Parameters:
  ///   - scales: how many.
  ///   - ratios: how many.
  init(_ head: RPNHeadConfiguration, _ boxes: ResizedBoxes, scales: Int, ratios: Int) {
    let sample = boxes.sample(Self.sampleSize)
    var search = Search(head, sample, scales: scales, ratios: ratios)
    search.climb()
    (self.scales, self.ratios) = (search.scales.map(Self.rounded).sorted(), search.ratios.map(Self.rounded).sorted())
  }

  /// The RPN with these anchors.
  func applied(to head: RPNHeadConfiguration) -> RPNHeadConfiguration {
    var head = head
    (head.anchorGenerator.scales, head.anchorGenerator.ratios) = (scales, ratios)
    return head
  }

  static func text(_ value: Float) -> String { String(format: "%.3g", value) }
  static func list(_ values: [Float]) -> String { "[" + values.map(text).joined(separator: ", ") + "]" }
  private static func rounded(_ value: Double) -> Float { Float(text(Float(value))) ?? Float(value) }
}

/// Scales and ratios on their way.
private struct Search {
  private let head: RPNHeadConfiguration
  private let boxes: ResizedBoxes
  /// The logarithms to the base 2, scales before ratios.
  private var values: [Double]
  private let scaleCount: Int
  private var quality = 0.0
  /// By octave the share that reaches IoU 0.5 with the configuration's anchors; of the octaves with enough boxes.
  private var reached: [Int: Double] = [:]

  var scales: [Double] { values.prefix(scaleCount).map(exp2) }
  var ratios: [Double] { values.dropFirst(scaleCount).map(exp2) }

  init(_ head: RPNHeadConfiguration, _ boxes: ResizedBoxes, scales: Int, ratios: Int) {
    (self.head, self.boxes, scaleCount, values) = (head, boxes, scales, [])
    reached = AnchorFit(head, boxes).octaveRecalls.filter { $0.value.boxes >= 10 }.mapValues(\.recallAtHalf)
    let generator = head.anchorGenerator
    let shapes = boxes.elements.map { (width: max(1, $0.box.width), height: max(1, $0.box.height)) }
    let ratioCenters = Self.clusters(shapes.map { Double(log2($0.height / $0.width)) }, ratios)
    var starts: [[Double]] = []
    if generator.scales.count == scales, generator.ratios.count == ratios {
      starts.append((generator.scales + generator.ratios).map { Double(log2($0)) })
    }
    starts += (0...20).map { step in
      (0..<scales).map { Double(step) / 4 + Double($0) / Double(scales) } + ratioCenters
    }
    if generator.strides.count == 1 {
      let stride = Float(min(generator.strides[0].width, generator.strides[0].height))
      let size = generator.baseSizes?[0] ?? stride
      starts.append(
        Self.clusters(shapes.map { Double(log2(($0.width * $0.height).squareRoot() / size)) }, scales) + ratioCenters)
    }
    for start in starts { take(start) }
  }

  mutating func climb() {
    for step in [0.5, 0.25, 0.125, 0.0625] {
      var hasImproved = true
      while hasImproved {
        hasImproved = false
        for place in values.indices {
          for change in [step, -step] {
            var next = values
            next[place] += change
            if take(next) { hasImproved = true }
          }
        }
      }
    }
  }

  /// Whether they are better, and then these are the ones.
  @discardableResult private mutating func take(_ next: [Double]) -> Bool {
    var head = head
    head.anchorGenerator.scales = next.prefix(scaleCount).map { Float(exp2($0)) }
    head.anchorGenerator.ratios = next.dropFirst(scaleCount).map { Float(exp2($0)) }
    let quality = quality(of: AnchorFit(head, boxes))
    guard values.isEmpty || quality > self.quality + 1e-6 else { return false }
    (values, self.quality) = (next, quality)
    return true
  }

  private func quality(of fit: AnchorFit) -> Double {
    var (sum, weights, loss) = (0.0, 0.0, 0.0)
    for (octave, recall) in fit.octaveRecalls.sorted(by: { $0.key < $1.key }) {
      let weight = Double(recall.boxes).squareRoot()
      sum += weight * recall.meanOverlap
      weights += weight
      if let reached = reached[octave] { loss = max(loss, reached - recall.recallAtHalf - 0.01) }
    }
    return sum / weights - loss
  }

  /// The centres of groups of values, ascending.
  private static func clusters(_ values: [Double], _ count: Int) -> [Double] {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return [Double](repeating: 0, count: count) }
    var centers = (0..<count).map { sorted[min(sorted.count - 1, (2 * $0 + 1) * sorted.count / (2 * count))] }
    for _ in 0..<50 {
      var (sums, numbers) = (centers.map { _ in 0.0 }, centers.map { _ in 0 })
      for value in sorted {
        let nearest = centers.indices.min { abs(centers[$0] - value) < abs(centers[$1] - value) } ?? 0
        sums[nearest] += value
        numbers[nearest] += 1
      }
      let next = centers.indices.map { numbers[$0] == 0 ? centers[$0] : sums[$0] / Double(numbers[$0]) }
      if next == centers { break }
      centers = next
    }
    return centers
  }
}
