import COCO
import Primitives
import Training

/// The seconds that each stage of loading takes for an image, the median of several, on one thread.
struct LoaderStages {
  /// From the file to upright bytes.
  let decode: Double
  let resize: Double
  /// Flip, normalisation and padding, written into the batch.
  let batch: Double

  init(_ dataset: CocoDataset, _ pipeline: Pipeline, plans: [BatchPlan]) throws {
    let pool = PixelPool()
    var floats: [Float] = []
    var seconds: [[Double]] = [[], [], []]
    for plan in plans {
      let times = try Self.load(plan, dataset, pipeline, pool, &floats)
      for stage in 0..<3 { seconds[stage].append(times[stage].duration(to: times[stage + 1]).seconds) }
    }
    (decode, resize, batch) = (median(seconds[0]), median(seconds[1]), median(seconds[2]))
  }

  /// Loads an image; the times between the stages.
  private static func load(
    _ plan: BatchPlan, _ dataset: CocoDataset, _ pipeline: Pipeline, _ pool: PixelPool, _ floats: inout [Float]
  ) throws -> [ContinuousClock.Instant] {
    let index = plan.indices[0]
    var times = [ContinuousClock.now]
    let picture = try dataset.picture(index, pipeline, key: plan.key, pool)
    times.append(.now)
    let sample = pipeline.apply(picture, dataset.images[index], key: plan.key, pool)
    times.append(.now)
    Batch([sample], plan: plan).fill(&floats)
    times.append(.now)
    pool.give(sample.picture.pixels)
    return times
  }
}

/// What `rcnn-bench loader` reports.
struct LoaderResult {
  let size: ImageSize
  let images: Int
  let threads: Int
  /// For all images, through the prefetcher.
  let seconds: Double
  let stages: LoaderStages
  let peakRSSMiB: Double

  private var secondsPerImage: Double { seconds / Double(images) }

  var json: String {
    JSON.object([
      ("bench", .text("loader")), ("height", .integer(size.height)), ("width", .integer(size.width)),
      ("images", .integer(images)), ("threads", .integer(threads)),
      ("images_per_second", .decimal(1 / secondsPerImage, digits: 2)),
      ("seconds_per_image", .decimal(secondsPerImage, digits: 6)),
      ("decode_seconds", .decimal(stages.decode, digits: 6)), ("resize_seconds", .decimal(stages.resize, digits: 6)),
      ("batch_seconds", .decimal(stages.batch, digits: 6)), ("peak_rss_mib", .decimal(peakRSSMiB, digits: 1)),
    ]).text()
  }

  var table: String {
    """
    output          within \(size.height) x \(size.width)
    images          \(decimal(1 / secondsPerImage, 1)) a second, \(threads) loader threads and one that writes batches
    an image        \(decimal(1000 * secondsPerImage, 3)) ms
      decode        \(decimal(1000 * stages.decode, 3)) ms (median of \(images) on one thread, as the next two)
      resize        \(decimal(1000 * stages.resize, 3)) ms
      batch         \(decimal(1000 * stages.batch, 3)) ms for flip, normalisation, padding
    memory          \(decimal(peakRSSMiB, 0)) MiB, the peak
    """
  }
}
