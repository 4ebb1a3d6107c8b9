/// The cells that each bin of a region reads, and their weights. Kept from region to region for its memory.
struct Samples {
  /// A cell's distance from the start of its image in floats, and its share in the bin's mean.
  struct Cell {
    var offset: Int
    var weight: Float
  }

  private let geometry: RoIAlign
  private var rows = AxisWeights()
  private var columns = AxisWeights()
  private var cells: [Cell] = []
  private var rowStride = 0
  private var cellStride = 0

  init(_ geometry: RoIAlign) { self.geometry = geometry }

  mutating func place(_ region: RegionOfInterest, on map: FeatureMap) {
    (rowStride, cellStride) = (map.width * map.channels, map.channels)
    rows.place(
      from: region.y1 * map.scale, to: region.y2 * map.scale, bins: geometry.outputHeight, cells: map.height, geometry)
    columns.place(
      from: region.x1 * map.scale, to: region.x2 * map.scale, bins: geometry.outputWidth, cells: map.width, geometry)
  }

  /// Calls `body` for each bin, row by row.
  mutating func forEachBin(_ body: ([Cell]) -> Void) {
    for i in 0..<geometry.outputHeight {
      for j in 0..<geometry.outputWidth {
        cells.removeAll(keepingCapacity: true)
        for row in rows.entries(of: i) {
          for column in columns.entries(of: j) {
            cells.append(
              Cell(offset: row.cell * rowStride + column.cell * cellStride, weight: row.weight * column.weight))
          }
        }
        body(cells)
      }
    }
  }
}

/// The weights of cells along one axis, bin after bin; those of a bin add up to the share of its samples that lie on
/// the map.
struct AxisWeights {
  struct Entry {
    var cell: Int
    var weight: Float
  }
  private var entries: [Entry] = []
  /// Where each bin's entries end.
  private var ends: [Int] = []

  func entries(of bin: Int) -> ArraySlice<Entry> { entries[(bin == 0 ? 0 : ends[bin - 1])..<ends[bin]] }

  /// `start` and `end` are in cells. The order of operations is mmcv's, whose float32 decides which cell a sample on
  /// a boundary belongs to.
  mutating func place(from start: Float, to end: Float, bins: Int, cells: Int, _ geometry: RoIAlign) {
    entries.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    let offset: Float = geometry.aligned ? 0.5 : 0
    let first = start - offset
    let length = geometry.aligned ? (end - offset) - first : max((end - offset) - first, 1)
    let binLength = length / Float(bins)
    let samples = geometry.samplingRatio > 0 ? geometry.samplingRatio : max(Int(binLength.rounded(.up)), 0)
    for bin in 0..<bins {
      let firstEntry = entries.count
      for sample in 0..<samples {
        let position = first + Float(bin) * binLength + (Float(sample) + 0.5) * binLength / Float(samples)
        add(position, share: 1 / Float(samples), cells: cells, firstEntry: firstEntry)
      }
      ends.append(entries.count)
    }
  }

  /// Splits a sample between the two nearest cells.
  private mutating func add(_ position: Float, share: Float, cells: Int, firstEntry: Int) {
    if position < -1 || position > Float(cells) { return }
    let position = max(position, 0)
    let low = Int(position)
    guard low < cells - 1 else { return add(cells - 1, share, firstEntry) }
    let fraction = position - Float(low)
    add(low, share * (1 - fraction), firstEntry)
    add(low + 1, share * fraction, firstEntry)
  }

  /// Samples come in ascending order: a cell that the bin has already is one of its last two.
  private mutating func add(_ cell: Int, _ weight: Float, _ firstEntry: Int) {
    for index in stride(from: entries.count - 1, through: max(firstEntry, entries.count - 2), by: -1)
    where entries[index].cell == cell {
      entries[index].weight += weight
      return
    }
    entries.append(Entry(cell: cell, weight: weight))
  }
}
