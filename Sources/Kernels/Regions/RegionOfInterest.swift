/// A box on one image of a batch, in pixels of the network's input.
public struct RegionOfInterest: Hashable, Sendable {
  /// The image's place in the batch.
  public var image: Int
  /// The upper left and the lower right corner, on the continuous grid.
  public var x1, y1, x2, y2: Float

  public init(image: Int, x1: Float, y1: Float, x2: Float, y2: Float) {
    (self.image, self.x1, self.y1, self.x2, self.y2) = (image, x1, y1, x2, y2)
  }

  /// Negative for corners in the wrong order.
  public var width: Float { x2 - x1 }
  public var height: Float { y2 - y1 }
  public var isFinite: Bool { x1.isFinite && y1.isFinite && x2.isFinite && y2.isFinite }
}

/// A level of the feature pyramid, or its gradient: `[images, height, width, channels]`.
public struct FeatureMap {
  /// The caller's memory.
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

/// A part of a backward pass over regions: some channels of one image of one level. It adds its regions in order, so
/// that nothing conflicts and the sums don't depend on the number of threads.
struct RegionJob {
  var level: Int
  /// The numbers of the regions.
  var rows: [Int]
  var channels: Range<Int>

  /// All jobs for the levels that aren't nil.
  static func all(regions: [RegionOfInterest], levelOf: [Int], levels: [FeatureMap?]) -> [RegionJob] {
    var jobs: [RegionJob] = []
    for (level, map) in levels.enumerated() {
      guard let map else { continue }
      var rowsOfImage = [[Int]](repeating: [], count: map.images)
      for row in regions.indices where levelOf[row] == level { rowsOfImage[regions[row].image].append(row) }
      for rows in rowsOfImage where !rows.isEmpty {
        for first in stride(from: 0, to: map.channels, by: 64) {
          jobs.append(RegionJob(level: level, rows: rows, channels: first..<min(first + 64, map.channels)))
        }
      }
    }
    return jobs
  }
}
