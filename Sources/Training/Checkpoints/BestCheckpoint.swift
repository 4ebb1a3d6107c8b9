/// `evaluation.save_best`: which checkpoint of a run is the best so far, by one of COCO's numbers; the greater the better.
package struct BestCheckpoint: Equatable {
  let metric: BestMetric
  /// Whether files are named by the epoch, else by the iteration.
  let byEpoch: Bool
  /// nil before the first one.
  package private(set) var score: Double?
  /// The epoch or iteration of the best one; nil before the first one.
  package private(set) var number: Int?

  package init(_ metric: BestMetric, byEpoch: Bool) { (self.metric, self.byEpoch) = (metric, byEpoch) }

  /// `best_bbox_mAP_epoch_3.h5`; nil before the first one.
  package var name: String? { number.map { "best_\(metric.rawValue)_\(byEpoch ? "epoch" : "iter")_\($0).h5" } }

  /// Takes a measurement into account.
  /// - Returns: whether it is the best so far.
  package mutating func take(_ metrics: [String: Double], epoch: Int, iteration: Int) -> Bool {
    guard let new = metrics[metric.rawValue], new > score ?? -.infinity else { return false }
    (score, number) = (new, byEpoch ? epoch : iteration)
    return true
  }

  /// What a checkpoint says of it under `/progress`: the score in millionths (mmdetection rounds to thousandths).
  package var progress: [String: Int] {
    guard let score, let number else { return [:] }
    return [scoreKey: Int((score * 1e6).rounded()), numberKey: number]
  }

  /// Goes on from a checkpoint.
  package mutating func resume(from progress: [String: Int]) {
    guard let score = progress[scoreKey], let number = progress[numberKey] else { return }
    (self.score, self.number) = (Double(score) / 1e6, number)
  }

  private var scoreKey: String { "best_\(metric.rawValue)" }
  private var numberKey: String { "best_\(metric.rawValue)_at" }
}
