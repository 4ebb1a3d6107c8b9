/// RoIPool (Girshick, "Fast R-CNN", section 2.1), as mmcv's `RoIPool`:
///
///     output[r, i, j] = max of feature(y, x) over the cells (y, x) that bin (i, j) touches, 0 if it has none
///
/// where a region reaches from (x1, y1) to (x2 + 1, y2 + 1) pixels, which in cells are not rounded. (torchvision's
/// `roi_pool` rounds x1 … y2 to cells and adds 1 then.) A region without extent has no bins: its output is 0.
public struct RoIPool: RoILayer {
  /// The bins of a region along each axis.
  public var outputHeight, outputWidth: Int

  public init(outputHeight: Int, outputWidth: Int) {
    (self.outputHeight, self.outputWidth) = (outputHeight, outputWidth)
  }

  /// To find the maxima again.
  public var backwardReadsValues: Bool { true }

  public func forward(
    _ levels: [FeatureMap], regions: [RegionOfInterest], levelOf: [Int], into output: Floats, _ workers: Workers
  ) {
    guard let channels = levels.first?.channels else { return }
    workers.run(over: regions.count, grain: 8) { rows in
      for row in rows {
        let map = levels[levelOf[row]]
        let features = map.image(regions[row].image)
        var bin = output + row * outputHeight * outputWidth * channels
        forEachBin(of: regions[row], on: map) { cells in
          bin.update(repeating: cells.isEmpty ? 0 : -.greatestFiniteMagnitude, count: channels)
          for cell in cells {
            let source = features + cell
            for c in 0..<channels { bin[c] = source[c] > bin[c] ? source[c] : bin[c] }
          }
          bin += channels
        }
      }
    }
  }

  /// The gradient of a bin goes to its first cell that holds the maximum.
  public func backward(
    _ outputGradient: Floats, values: RoIValues?, regions: [RegionOfInterest], levelOf: [Int],
    into gradients: [FeatureMap?], _ workers: Workers
  ) {
    let jobs = RegionJob.all(regions: regions, levelOf: levelOf, levels: gradients)
    workers.run(jobs: jobs.count) { index, scratch in
      let job = jobs[index]
      guard let gradient = gradients[job.level], let map = values?.levels[job.level], let output = values?.output else {
        return
      }
      let (count, pending) = (job.channels.count, scratch.floats(job.channels.count))
      for row in job.rows {
        let features = map.image(regions[row].image) + job.channels.lowerBound
        let target = gradient.image(regions[row].image) + job.channels.lowerBound
        var bin = row * outputHeight * outputWidth * map.channels + job.channels.lowerBound
        forEachBin(of: regions[row], on: map) { cells in
          pending.update(from: outputGradient + bin, count: count)
          for cell in cells { Self.take(pending, output + bin, features + cell, target + cell, count) }
          bin += map.channels
        }
      }
    }
  }

  /// Moves what is pending to the target in those channels whose feature is the maximum.
  private static func take(
    _ pending: Floats, _ maximum: Floats, _ feature: Floats, _ target: Floats, _ count: Int
  ) {
    for c in 0..<count where feature[c] == maximum[c] {
      target[c] += pending[c]
      pending[c] = 0
    }
  }

  /// Calls `body` for each bin, row by row, with its cells as distances from the start of their image in floats.
  private func forEachBin(of region: RegionOfInterest, on map: FeatureMap, _ body: ([Int]) -> Void) {
    let rows = bins(from: region.y1 * map.scale, to: (region.y2 + 1) * map.scale, outputHeight, cells: map.height)
    let columns = bins(from: region.x1 * map.scale, to: (region.x2 + 1) * map.scale, outputWidth, cells: map.width)
    for row in rows {
      for column in columns { body(row.flatMap { y in column.map { x in (y * map.width + x) * map.channels } }) }
    }
  }

  /// The cells of each bin along one axis, from and to cell coordinates; all empty where the region has no extent. The
  /// order of operations is mmcv's, whose float32 decides which bin touches a cell on a boundary.
  private func bins(from start: Float, to end: Float, _ count: Int, cells: Int) -> [Range<Int>] {
    let extent = end - start
    guard extent > 0, extent.isFinite else { return [Range<Int>](repeating: 0..<0, count: count) }
    let length = extent / Float(count)
    return (0..<count).map { bin in
      let low = (Float(bin) * length + start).rounded(.down)
      let high = (Float(bin + 1) * length + start).rounded(.up)
      let lowest = Int(min(max(low, 0), Float(cells)))
      return lowest..<max(lowest, Int(min(max(high, 0), Float(cells))))
    }
  }
}
