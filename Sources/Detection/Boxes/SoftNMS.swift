import Foundation
import Primitives

extension NonMaximumSuppression {
  /// Soft-NMS (Bodla et al., 2017) as mmcv's `soft_nms`: again and again the box with the best score is taken, and
  /// the scores of the others are multiplied by a weight of their IoU with it:
  ///
  ///     naive 0, linear 1 − IoU, both from `iouThreshold` on; gaussian exp(−IoU² / sigma)
  ///
  /// A box whose score falls below `minScore` is dropped. An IoU of 0 / 0, between boxes without area, weighs 1 with
  /// each method (mmcv: with gaussian the score becomes not-a-number).
  /// - Returns: the boxes in the order in which they were taken, with their lowered scores.
  public static func softNMS(
    _ boxes: [Box], scores: [Float], configuration: NMSConfiguration, offset: Float = 0
  ) -> [Kept] {
    var entries = boxes.indices.map {
      Entry(index: $0, score: scores[$0], candidate: SizedBox(boxes[$0], offset: offset))
    }
    var taken = 0
    while taken < entries.count {
      entries.swapAt(taken, best(entries, from: taken))
      let chosen = entries[taken].candidate
      taken += 1
      var i = taken
      while i < entries.count {
        entries[i].score *= weight(
          BoxOverlaps.overlap(chosen, entries[i].candidate, eps: 0, offset: offset), configuration)
        if entries[i].score < configuration.minScore {
          entries.swapAt(i, entries.count - 1)
          entries.removeLast()
        } else {
          i += 1
        }
      }
    }
    return entries.map { Kept(index: $0.index, score: $0.score) }
  }

  private struct Entry {
    var index: Int
    var score: Float
    var candidate: SizedBox
  }

  /// The first entry with the largest score.
  private static func best(_ entries: [Entry], from start: Int) -> Int {
    var best = start
    for i in start..<entries.count where entries[i].score > entries[best].score { best = i }
    return best
  }

  private static func weight(_ iou: Float, _ configuration: NMSConfiguration) -> Float {
    if iou.isNaN { return 1 }
    return switch configuration.softMethod {
    case .naive: iou >= configuration.iouThreshold ? 0 : 1
    case .linear: iou >= configuration.iouThreshold ? 1 - iou : 1
    case .gaussian: exp(-(iou * iou) / configuration.sigma)
    }
  }
}
