import Foundation
import Primitives

/// `train_cfg.rpn_proposal` and `test_cfg.rpn`.
public struct ProposalConfiguration: Equatable, Sendable {
  public var nmsPre = 2000
  public var maxPerImg = 1000
  public var nms = NMSConfiguration()
  public var minBBoxSize: Float = 0

  public init() {}
}

/// A region that may hold an object.
public struct Proposal: Equatable, Sendable {
  public let box: Box
  /// The objectness, 0 … 1.
  public let score: Float
  /// The anchor that it comes from: level by level, then row, column, base anchor.
  public let anchor: Int

  public init(box: Box, score: Float, anchor: Int) { (self.box, self.score, self.anchor) = (box, score, anchor) }
}

/// The proposals of an image, best first.
public struct SelectedProposals: Equatable, Sendable {
  public let proposals: [Proposal]
  /// How many of the best anchors were dropped because their box or score is not finite.
  public let numNotFinite: Int
}

/// Makes proposals of what the RPN says of an image; `RPNHead.get_bboxes` of mmdetection.
public struct ProposalSelector {
  private let configuration: RPNHeadConfiguration
  private let generator: AnchorGenerator
  private let coder: any BoxCoder

  public init(_ configuration: RPNHeadConfiguration) {
    self.configuration = configuration
    generator = AnchorGenerator(configuration.anchorGenerator)
    coder = configuration.bboxCoder.make()
  }

  /// With `train_cfg.rpn_proposal` or `test_cfg.rpn`; see the other method.
  public func proposals(
    scores: [[Float]], deltas: [[Float]], featmapSizes: [ImageSize], imgShape: ImageSize, isTraining: Bool
  ) -> SelectedProposals {
    proposals(
      scores: scores, deltas: deltas, featmapSizes: featmapSizes, imgShape: imgShape,
      isTraining ? configuration.trainProposals : configuration.testProposals)
  }

  /// The best `nms_pre` anchors of each level are moved by their deltas, clipped to the picture, freed of boxes
  /// narrower or lower than `min_bbox_size` and of overlaps within their level; the best `max_per_img` remain.
  ///
  /// mmdetection's own filter for small boxes compares a sum of indices with a count and so sometimes lets all pass;
  /// this one doesn't.
  ///
  /// - Parameters:
  ///   - scores: for each level the logits `[H, W, A]`, or with softmax `[H, W, A, 2]`, foreground before background.
  ///   - deltas: for each level `[H, W, A, 4]`.
  ///   - featmapSizes: the size of each level's map, in cells.
  ///   - imgShape: what the boxes are clipped to.
  ///   - limits: how many boxes remain, how large they must be, and how they are suppressed.
  public func proposals(
    scores: [[Float]], deltas: [[Float]], featmapSizes: [ImageSize], imgShape: ImageSize,
    _ limits: ProposalConfiguration
  ) -> SelectedProposals {
    var (boxes, objectness, levels, numbers): ([Box], [Float], [Int], [Int]) = ([], [], [], [])
    var (firstAnchor, numNotFinite) = (0, 0)
    for (level, anchors) in generator.gridAnchors(featmapSizes: featmapSizes).enumerated() {
      let foreground = foregroundScores(scores[level])
      require(foreground.count == anchors.count, "\(foreground.count) scores for \(anchors.count) anchors")
      let chosen = best(foreground, limits.nmsPre)
      let decoded = coder.decode(
        chosen.map { anchors[$0] }, deltas: chosen.flatMap { deltas[level][4 * $0..<4 * $0 + 4] }, maxShape: imgShape)
      for (box, anchor) in zip(decoded, chosen) {
        guard box.isFinite, foreground[anchor].isFinite else {
          numNotFinite += 1
          continue
        }
        guard isLargeEnough(box, limits.minBBoxSize) else { continue }
        boxes.append(box)
        objectness.append(foreground[anchor])
        levels.append(level)
        numbers.append(firstAnchor + anchor)
      }
      firstAnchor += anchors.count
    }
    let kept = NonMaximumSuppression.batchedNMS(
      boxes, scores: objectness, groups: levels, configuration: limits.nms, limit: limits.maxPerImg)
    return SelectedProposals(
      proposals: kept.map { Proposal(box: boxes[$0.index], score: $0.score, anchor: numbers[$0.index]) },
      numNotFinite: numNotFinite)
  }

  private func best(_ scores: [Float], _ limit: Int) -> [Int] {
    limit > 0 && scores.count > limit ? descendingOrder(scores, limit: limit) : Array(scores.indices)
  }

  private func isLargeEnough(_ box: Box, _ minimum: Float) -> Bool {
    minimum <= 0 || (box.width >= minimum && box.height >= minimum)
  }

  private func foregroundScores(_ logits: [Float]) -> [Float] {
    if configuration.scoresAnAnchor == 1 { return logits.map { 1 / (1 + exp(-$0)) } }
    return stride(from: 0, to: logits.count, by: 2).map { i in
      let largest = max(logits[i], logits[i + 1])
      let (foreground, background) = (exp(logits[i] - largest), exp(logits[i + 1] - largest))
      return foreground / (foreground + background)
    }
  }
}
