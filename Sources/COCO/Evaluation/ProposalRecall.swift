import Primitives

/// How much of what there is to find proposals cover: mmdetection's `fast_eval_recall` (`metric: proposal_fast`).
///
/// The annotated boxes of all categories of the file count, whatever `classes` says, but no crowds and none that is marked
/// `ignore`.
public struct ProposalRecall: Sendable {
  /// By position of the image.
  private let groundTruths: [[Box]]
  /// How many proposals of an image are looked at.
  private let counts: [Int]
  private let overlaps: [Float]

  /// - Parameters:
  ///   - groundTruths: of each image.
  ///   - counts: `proposal_nums`, ascending.
  ///   - overlaps: `iou_thrs`; they are compared in single precision, as there.
  public init(groundTruths: [[Box]], counts: [Int], overlaps: [Double]) {
    (self.groundTruths, self.counts, self.overlaps) = (groundTruths, counts, overlaps.map { Float($0) })
  }

  /// `AR@100`, …: the recall, averaged over the thresholds, for each of the counts; -1 where there is nothing to find
  /// (mmdetection divides by 0 there).
  /// - Parameter proposals: of each image, best first.
  public func averages(_ proposals: [[Box]]) -> [(name: String, value: Double)] {
    require(
      proposals.count == groundTruths.count, "\(proposals.count) lists of proposals for \(groundTruths.count) images")
    let total = groundTruths.reduce(0) { $0 + $1.count }
    let tables = zip(groundTruths, proposals).map { objects, proposals in
      OverlapTable(objects, Array(proposals.prefix(counts[counts.count - 1])))
    }
    return counts.map { count in
      guard total > 0 else { return ("AR@\(count)", -1) }
      let best = tables.flatMap { $0.bestMatches(among: count) }
      let recalls = overlaps.map { overlap in Double(best.count { $0 >= overlap }) / Double(total) }
      return ("AR@\(count)", recalls.reduce(0, +) / Double(recalls.count))
    }
  }
}

/// The overlaps of an image's objects with its proposals.
private struct OverlapTable {
  /// A row for each object.
  private let rows: [[Float]]

  init(_ objects: [Box], _ proposals: [Box]) {
    rows = objects.map { object in proposals.map { Self.overlap(object, $0) } }
  }

  /// Intersection over union, the union at least 1e-6.
  private static func overlap(_ a: Box, _ b: Box) -> Float {
    let width = max(min(a.x2, b.x2) - max(a.x1, b.x1), 0)
    let height = max(min(a.y2, b.y2) - max(a.y1, b.y1), 0)
    let intersection = width * height
    return intersection / max(a.area + b.area - intersection, 1e-6)
  }

  /// For each object the overlap with the proposal that it gets: again and again the pair with the largest overlap is
  /// taken, and neither of the two again. -1 where proposals run out.
  func bestMatches(among count: Int) -> [Float] {
    var rows = rows.map { Array($0.prefix(count)) }
    guard let width = rows.first?.count, width > 0 else { return rows.map { _ in 0 } }
    var matches: [Float] = []
    for _ in rows.indices {
      var best = (object: 0, proposal: 0, overlap: -Float.infinity)
      for (object, row) in rows.enumerated() {
        for (proposal, overlap) in row.enumerated() where overlap > best.overlap {
          best = (object, proposal, overlap)
        }
      }
      matches.append(best.overlap)
      for proposal in 0..<width { rows[best.object][proposal] = -1 }
      for object in rows.indices { rows[object][best.proposal] = -1 }
    }
    return matches
  }
}
