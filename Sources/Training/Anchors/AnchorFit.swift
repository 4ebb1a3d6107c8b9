import COCO
import Detection

/// How well the best anchors of some boxes fit.
struct AnchorRecall {
  let name: String
  private(set) var boxes = 0
  private var good = 0
  private var half = 0
  private var sum = 0.0

  init(_ name: String) { self.name = name }

  fileprivate mutating func add(_ overlap: Float, threshold: Float) {
    boxes += 1
    if overlap >= threshold { good += 1 }
    if overlap >= 0.5 { half += 1 }
    sum += Double(overlap)
  }

  /// The share of boxes whose best anchor's IoU is at least `pos_iou_thr`.
  var recall: Double { share(Double(good)) }
  /// The same at IoU 0.5.
  var recallAtHalf: Double { share(Double(half)) }
  var meanOverlap: Double { share(sum) }

  private func share(_ part: Double) -> Double { boxes == 0 ? 0 : part / Double(boxes) }
}

/// How well the anchors of an RPN fit the boxes of a data set. The anchors are those of each image's own grid.
struct AnchorFit {
  private(set) var all = AnchorRecall("all")
  /// By the area in the stored picture: COCO's ranges.
  private(set) var ranges = [
    AnchorRecall("small, below 32²"), AnchorRecall("medium, below 96²"), AnchorRecall("large"),
  ]
  /// By the square root of the area as the network sees it, an octave each, ascending.
  var octaves: [AnchorRecall] { octaveRecalls.sorted { $0.key < $1.key }.map(\.value) }
  private(set) var octaveRecalls: [Int: AnchorRecall] = [:]
  /// By the level on which the best anchor lies.
  private(set) var levels: [AnchorRecall]
  /// Boxes that meet no anchor that may take part (`allowed_border`).
  private(set) var withoutAnchor = 0

  init(_ head: RPNHeadConfiguration, _ boxes: ResizedBoxes) {
    let (generator, threshold) = (AnchorGenerator(head.anchorGenerator), head.posIoUThr)
    levels = head.anchorGenerator.strides.map { stride in
      AnchorRecall("best on stride \(stride.width)" + (stride.width == stride.height ? "" : " x \(stride.height)"))
    }
    for element in boxes.elements {
      let shape = boxes.shape(of: element)
      let best = generator.bestAnchor(
        for: element.box, imgShape: shape.image, padShape: shape.padded, allowedBorder: head.allowedBorder)
      let overlap = best?.overlap ?? 0
      all.add(overlap, threshold: threshold)
      let range = element.storedArea < 32 * 32 ? 0 : element.storedArea < 96 * 96 ? 1 : 2
      ranges[range].add(overlap, threshold: threshold)
      let octave = element.octave
      octaveRecalls[octave, default: AnchorRecall("\(1 << octave) to \(2 << octave) pixels")].add(
        overlap, threshold: threshold)
      if let best, overlap > 0 {
        levels[best.level].add(overlap, threshold: threshold)
      } else {
        withoutAnchor += 1
      }
    }
  }
}

extension RPNHeadConfiguration {
  /// From which IoU on an anchor is an object's.
  var posIoUThr: Float {
    switch assigner {
    case .maxIoU(let configuration): configuration.posIoUThr
    }
  }
}
