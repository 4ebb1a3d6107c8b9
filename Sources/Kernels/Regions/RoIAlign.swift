/// RoIAlign (He et al., "Mask R-CNN", section 3), as mmcv's `RoIAlign` with `pool_mode='avg'`:
///
///     output[r, i, j] = 1 / (m n) Σ feature(y, x) over the m × n sampling points (y, x) of bin (i, j)
///
/// where `feature` interpolates bilinearly between the centres of cells, is constant up to one cell beyond the border
/// and zero further out.
///
/// A sample's four weights are products of a weight for its row and one for its column, so the sum over samples
/// becomes one over the cells of a bin, each of which is read once.
public struct RoIAlign: RoILayer {
  /// The bins of a region along each axis.
  public var outputHeight, outputWidth: Int
  /// Sampling points of a bin along each axis; 0: as many as the bin is cells long, rounded up.
  public var samplingRatio: Int
  /// Whether pixel centres are at half-integer coordinates. If not, regions are at least one cell long.
  public var aligned: Bool

  public init(outputHeight: Int, outputWidth: Int, samplingRatio: Int, aligned: Bool) {
    (self.outputHeight, self.outputWidth) = (outputHeight, outputWidth)
    (self.samplingRatio, self.aligned) = (samplingRatio, aligned)
  }

  /// The layer is linear.
  public var backwardReadsValues: Bool { false }

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

  public func backward(
    _ outputGradient: Floats, values: RoIValues? = nil, regions: [RegionOfInterest], levelOf: [Int],
    into gradients: [FeatureMap?], _ workers: Workers
  ) {
    let jobs = RegionJob.all(regions: regions, levelOf: levelOf, levels: gradients)
    workers.run(jobs: jobs.count) { index, _ in
      let job = jobs[index]
      guard let map = gradients[job.level] else { return }
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

  @inline(__always)
  private static func add(_ source: Floats, times weight: Float, to target: Floats, _ count: Int) {
    for c in 0..<count { target[c] += weight * source[c] }
  }
}
