import Foundation
import Primitives

/// What `rcnn-bench step` reports.
struct StepResult {
  let size: ImageSize
  /// Images a rank.
  let batch: Int
  let seconds: [Double]
  let peakRSSMiB: Double
  let ranks: Int
  let threads: Int

  /// Of all ranks together.
  private var imagesPerSecond: Double { Double(batch * ranks) / median(seconds) }

  var json: String {
    """
    {"bench": "step", "height": \(size.height), "width": \(size.width), "batch": \(batch), "ranks": \(ranks), \
    "threads": \(threads), "steps": \(seconds.count), "images_per_second": \(decimal(imagesPerSecond, 4)), \
    "step_seconds": \(decimal(median(seconds), 5)), "peak_rss_mib": \(decimal(peakRSSMiB, 1))}
    """
  }

  var table: String {
    """
    input           \(size.height) x \(size.width), \(batch) images a rank
    ranks           \(ranks) x \(threads) threads
    step            \(decimal(median(seconds), 4)) s (median of \(seconds.count), \
    \(decimal(seconds.min() ?? 0, 4)) to \(decimal(seconds.max() ?? 0, 4)))
    images          \(decimal(imagesPerSecond, 3)) a second, all ranks together
    memory          \(decimal(peakRSSMiB, 0)) MiB, the largest rank's peak
    """
  }
}

/// With so many digits after the point.
func decimal(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
