import Primitives
import Tensors

/// Moves regions as a stage of a cascade says, for the stage after it: mmdetection's `regress_by_class`.
struct BoxRefiner {
  private let numClasses: Int
  private let isClassAgnostic: Bool
  private let coder: any BoxCoder

  init(_ configuration: BBoxHeadConfiguration) {
    numClasses = configuration.numClasses
    isClassAgnostic = configuration.regClassAgnostic
    coder = configuration.bboxCoder.make()
  }

  /// - Parameters:
  ///   - labels: the class by whose deltas each box is moved; the number of classes (background), or nil for all: the class
  ///     with the highest score, the background left out.
  ///   - imgShape: what the boxes are clipped to.
  func refined(_ boxes: [Box], _ output: HeadRows, labels: [Int]?, imgShape: ImageSize) -> [Box] {
    guard let deltas = output.deltas else { bug("boxes are to be refined by a head without deltas") }
    let width = isClassAgnostic ? 4 : 4 * numClasses
    var chosen: [Float] = []
    chosen.reserveCapacity(4 * boxes.count)
    for row in boxes.indices {
      var first = row * width
      if !isClassAgnostic {
        let label = labels.map { $0[row] } ?? numClasses
        first += 4 * (label < numClasses ? label : likeliestClass(output.scores, row))
      }
      chosen.append(contentsOf: deltas[first..<first + 4])
    }
    return coder.decode(boxes, deltas: chosen, maxShape: imgShape)
  }

  /// The first of the highest, as torch's `argmax`.
  private func likeliestClass(_ scores: [Float], _ row: Int) -> Int {
    let first = row * (numClasses + 1)
    var best = 0
    for label in 1..<max(1, numClasses) where scores[first + label] > scores[first + best] { best = label }
    return best
  }
}

/// What a box head says of the regions of one image.
struct HeadRows {
  /// `[R, C + 1]`, logits with the background last; empty where the head has none.
  let scores: [Float]
  /// `[R, C, 4]`, or `[R, 4]` when class-agnostic; nil where the head has none.
  let deltas: [Float]?

  var numNotFinite: Int { scores.count { !$0.isFinite } + (deltas ?? []).count { !$0.isFinite } }

  /// - Parameter counts: the regions of each image.
  static func each(_ output: BBoxHeadOutput, _ counts: [Int]) -> [HeadRows] {
    func rows(_ tensor: Tensor) -> [[Float]] {
      let (values, width) = (tensor.array, tensor.shape[1])
      var start = 0
      return counts.map { count in
        defer { start += count * width }
        return Array(values[start..<start + count * width])
      }
    }
    let (scores, deltas) = (output.scores.map(rows), output.deltas.map(rows))
    return counts.indices.map { HeadRows(scores: scores?[$0] ?? [], deltas: deltas?[$0]) }
  }
}
