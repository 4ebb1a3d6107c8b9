import Foundation
import Primitives
import Training

/// The times of some steps on one rank.
struct StepTiming {
  /// Operations a second of the matrix products of all ranks and threads together.
  let matrixProductRate: Double
  var seconds: [Double] = []
  var forward: [Double] = []
  var backward: [Double] = []
  /// Empty in a world of one.
  var sync: [SyncTimes] = []
}

/// What `rcnn-bench step` reports.
struct StepResult {
  let size: ImageSize
  /// Images a rank.
  let batch: Int
  let timing: StepTiming
  let peakRSSMiB: Double
  let reduction: Reduction
  let ranks: Int
  let threads: Int

  private var seconds: [Double] { timing.seconds }
  /// Of all ranks together.
  private var imagesPerSecond: Double { Double(batch * ranks) / median(seconds) }
  private var sync: (seconds: Double, hidden: Double)? {
    guard !timing.sync.isEmpty else { return nil }
    return (median(timing.sync.map(\.waitedSeconds)), median(timing.sync.map(\.hiddenShare)))
  }

  var json: String {
    JSON.object([
      ("bench", .text("step")), ("height", .integer(size.height)), ("width", .integer(size.width)),
      ("batch", .integer(batch)), ("ranks", .integer(ranks)), ("threads", .integer(threads)),
      ("reduction", .text(reduction.rawValue)), ("steps", .integer(seconds.count)),
      ("images_per_second", .decimal(imagesPerSecond, digits: 4)),
      ("step_seconds", .decimal(median(seconds), digits: 5)),
      ("step_seconds_min", .decimal(seconds.min() ?? 0, digits: 5)),
      ("forward_seconds", .decimal(median(timing.forward), digits: 5)),
      ("backward_seconds", .decimal(median(timing.backward), digits: 5)),
      ("sync_seconds", .decimal(sync?.seconds ?? 0, digits: 5)),
      ("sync_hidden", sync.map { .decimal($0.hidden, digits: 3) } ?? .null),
      ("gemm_gflops", .decimal(timing.matrixProductRate / 1e9, digits: 1)),
      ("peak_rss_mib", .decimal(peakRSSMiB, digits: 1)),
    ]).text()
  }

  var table: String {
    """
    input           \(size.height) x \(size.width), \(batch) images a rank, \(reduction.rawValue) sums
    ranks           \(ranks) x \(threads) threads
    matrix product  \(decimal(timing.matrixProductRate / 1e9, 0)) GFLOP/s, all ranks and threads together
    step            \(decimal(median(seconds), 4)) s (median of \(seconds.count), \
    \(decimal(seconds.min() ?? 0, 4)) to \(decimal(seconds.max() ?? 0, 4)))
      forward       \(decimal(median(timing.forward), 4)) s
      backward      \(decimal(median(timing.backward), 4)) s
      sync          \(sync.map { "\(decimal($0.seconds, 4)) s, \(decimal(100 * $0.hidden, 0)) % hidden" } ?? "none")
    images          \(decimal(imagesPerSecond, 3)) a second, all ranks together
    memory          \(decimal(peakRSSMiB, 0)) MiB, the largest rank's peak
    """
  }
}

/// With so many digits after the point.
func decimal(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

/// Right-aligned.
func column(_ text: String, width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}
