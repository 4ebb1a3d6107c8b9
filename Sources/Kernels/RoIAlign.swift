/// A box on one image of a batch, in pixels of the network's input.
public struct RegionOfInterest: Hashable, Sendable {
  /// The image's place in the batch.
  public var image: Int
  public var x1, y1, x2, y2: Float

  public init(image: Int, x1: Float, y1: Float, x2: Float, y2: Float) {
    (self.image, self.x1, self.y1, self.x2, self.y2) = (image, x1, y1, x2, y2)
  }

  public var width: Float { x2 - x1 }
  public var height: Float { y2 - y1 }
  public var isFinite: Bool { x1.isFinite && y1.isFinite && x2.isFinite && y2.isFinite }
}

/// A level of the feature pyramid, or its gradient: `[images, height, width, channels]`.
public struct FeatureMap {
  public var values: Floats
  public var images, height, width, channels: Int
  /// Cells per pixel of the network's input: 1 / stride.
  public var scale: Float

  public init(_ values: Floats, images: Int, height: Int, width: Int, channels: Int, scale: Float) {
    (self.values, self.images, self.height, self.width) = (values, images, height, width)
    (self.channels, self.scale) = (channels, scale)
  }

  func image(_ index: Int) -> Floats { values + index * height * width * channels }
}

/// RoIAlign (He et al., "Mask R-CNN", section 3), as mmcv's `RoIAlign` with `pool_mode='avg'`:
///
///     output[r, i, j] = 1 / (m n) Σ feature(y, x) over the m × n sampling points (y, x) of bin (i, j)
///
/// where `feature` interpolates bilinearly between the centres of cells, is constant up to one cell beyond the border
/// and zero further out.
///
/// A sample's four weights are products of a weight for its row and one for its column, so the sum over samples
/// becomes one over the cells of a bin, each of which is read once.
public struct RoIAlign: Sendable {
  public var outputHeight, outputWidth: Int
  /// Sampling points of a bin along each axis; 0: as many as the bin is cells long, rounded up.
  public var samplingRatio: Int
  /// Whether pixel centres are at half-integer coordinates. If not, regions are at least one cell long.
  public var aligned: Bool

  public init(outputHeight: Int, outputWidth: Int, samplingRatio: Int, aligned: Bool) {
    (self.outputHeight, self.outputWidth) = (outputHeight, outputWidth)
    (self.samplingRatio, self.aligned) = (samplingRatio, aligned)
  }

  /// Writes `output[r]`, `[outputHeight, outputWidth, channels]`, from level `levelOf[r]` for each region r.
  public func forward(
    _ levels: [FeatureMap], regions: [RegionOfInterest], levelOf: [Int], into output: Floats, _ workers: Workers
  ) {
    guard let channels = levels.first?.channels else { return }
    workers.run(over: regions.count, grain: 8) { rows in
      var samples = Samples(self)
      for row in rows {
        let (region, map) = (regions[row], levels[levelOf[row]])
        let features = map.image(region.image)
        var bin = output + row * outputHeight * outputWidth * channels
        samples.place(region, on: map)
        samples.forEachBin { cells in
          bin.update(repeating: 0, count: channels)
          for cell in cells { Self.add(features + cell.offset, times: cell.weight, to: bin, channels) }
          bin += channels
        }
      }
    }
  }

  /// Adds the gradient of each level in `levels` given that of the output. A nil level is left out.
  ///
  /// A job owns some channels of an image and adds the regions in order, so that nothing conflicts and the sums don't
  /// depend on the number of threads.
  public func backward(
    _ outputGradient: Floats, regions: [RegionOfInterest], levelOf: [Int], into levels: [FeatureMap?],
    _ workers: Workers
  ) {
    let jobs = backwardJobs(regions: regions, levelOf: levelOf, levels: levels)
    workers.run(jobs: jobs.count) { index, _ in
      let (job, map) = (jobs[index], jobs[index].map)
      var samples = Samples(self)
      for row in job.rows {
        let features = map.image(regions[row].image) + job.channels.lowerBound
        var bin = outputGradient + row * outputHeight * outputWidth * map.channels + job.channels.lowerBound
        samples.place(regions[row], on: map)
        samples.forEachBin { cells in
          for cell in cells { Self.add(bin, times: cell.weight, to: features + cell.offset, job.channels.count) }
          bin += map.channels
        }
      }
    }
  }

  private struct BackwardJob {
    var map: FeatureMap
    var rows: [Int]
    var channels: Range<Int>
  }

  private func backwardJobs(
    regions: [RegionOfInterest], levelOf: [Int], levels: [FeatureMap?]
  ) -> [BackwardJob] {
    var jobs: [BackwardJob] = []
    for (level, map) in levels.enumerated() {
      guard let map else { continue }
      var rowsOfImage = [[Int]](repeating: [], count: map.images)
      for row in regions.indices where levelOf[row] == level { rowsOfImage[regions[row].image].append(row) }
      for rows in rowsOfImage where !rows.isEmpty {
        for first in stride(from: 0, to: map.channels, by: 64) {
          jobs.append(BackwardJob(map: map, rows: rows, channels: first..<min(first + 64, map.channels)))
        }
      }
    }
    return jobs
  }

  @inline(__always)
  private static func add(_ source: Floats, times weight: Float, to target: Floats, _ count: Int) {
    for c in 0..<count { target[c] += weight * source[c] }
  }
}
