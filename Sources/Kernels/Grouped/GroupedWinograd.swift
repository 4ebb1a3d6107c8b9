/// `WinogradProduct` for a convolution in groups. A job has the tiles of some channels alone, which stay in the cache of its
/// core from their transform to the sums' way back.
struct GroupedWinograd {
  let channels: GroupedChannels
  let source: TiledMap
  let tiles: TileList
  let target: TiledMap
  let epilogue: ConvolutionEpilogue
  /// The weights are turned by 180°, and go from output to input channels.
  let isTurned: Bool
  /// Whether the result is added to what is in the target.
  let adds: Bool

  func run(_ weight: Floats, _ workers: Workers) {
    let (taps, depth) = (WinogradWeights.taps, channels.mostSources)
    let weightCount = GroupedWeights.count(channels, taps: taps)
    let memory = workers.shared.floats(
      weightCount + WinogradPlanes.count(channels: target.channels, lines: depth))
    let weights = GroupedWeights(weight, channels, taps: taps, in: memory, workers)
    let planes = WinogradPlanes(memory + weightCount, channels: target.channels, lines: depth)
    workers.run(jobs: channels.vectors) { vector, _ in transform(weights, vector, into: planes) }
    // The pixels of a part, 16 a tile, take about a MiB.
    let size = min(
      Self.tilesOfPart(channels: channels.mostOfBlock), max(16, (1 << 18) / (16 * target.channels) / 8 * 8))
    let parts = (tiles.count + size - 1) / size
    let chunks = channels.chunks(beside: parts)
    workers.run(jobs: parts * chunks.count) { job, scratch in
      let first = job / chunks.count * size
      for block in chunks[job % chunks.count] {
        run(block, first..<min(tiles.count, first + size), planes, scratch)
      }
    }
  }

  private func run(_ block: GroupedChannels.Block, _ part: Range<Int>, _ planes: WinogradPlanes, _ scratch: Scratch) {
    let inputCount = WinogradPlanes.count(channels: block.sources.count, lines: part.count)
    let memory = scratch.floats(inputCount + WinogradPlanes.count(channels: block.channels, lines: part.count))
    let inputs = WinogradPlanes(memory, channels: block.sources.count, lines: part.count)
    let sums = WinogradPlanes(memory + inputCount, channels: block.channels, lines: part.count)
    source.transform(tiles, part, channels: block.sources, into: inputs)
    for place in 0..<WinogradPlanes.places {
      PanelProduct.multiply(
        inputs.panels(place: place), planes.panels(place: place, group: block.vectors.lowerBound),
        into: sums.panels(place: place), rows: part.count, steps: block.sources.count, groups: block.vectors.count)
    }
    target.store(sums, tiles, part, groups: block.vectors, epilogue, adds: adds)
  }

  /// So many tiles that their planes of all these channels take half a MiB.
  static func tilesOfPart(channels: Int) -> Int { max(16, min(96, (1 << 17) / (36 * channels) / 8 * 8)) }

  private func transform(_ weights: GroupedWeights, _ vector: Int, into planes: WinogradPlanes) {
    let sources = channels.sources(of: vector)
    guard isTurned else {
      let matrix = WinogradWeights(
        values: weights.matrix(vector), inChannels: sources.count, outChannels: Vector.scalarCount, isTurned: false)
      return matrix.transform(group: 0, into: planes, at: vector)
    }
    WeightTransform.withMiddle { middle in
      for o in sources {
        let (start, stride) = weights.line(from: o, to: vector)
        let square = planes.square(group: vector, line: o - sources.lowerBound)
        WeightTransform.apply(
          middle, load: { (start + (WinogradWeights.taps - 1 - $0) * stride).vector }, store: { square[$0] = $1 })
      }
    }
  }
}

/// `WinogradWeightGradient` for a convolution in groups: a job sums over all tiles for some output channels and what they
/// see.
struct GroupedWinogradWeightGradient {
  let channels: GroupedChannels

  /// Adds to `dw`, `[out, 3, 3, in / groups]`.
  func add(_ x: TiledMap, _ dy: TiledMap, _ tiles: TileList, to dw: Floats, _ workers: Workers) {
    guard tiles.count > 0 else { return }
    let jobs = channels.jobs
    workers.run(jobs: jobs.count) { job, scratch in add(jobs[job], x, dy, tiles, to: dw, scratch) }
  }

  private func add(
    _ block: GroupedChannels.Block, _ x: TiledMap, _ dy: TiledMap, _ tiles: TileList, to dw: Floats,
    _ scratch: Scratch
  ) {
    let (taps, depth, rows) = (WinogradWeights.taps, block.sources.count, block.channels)
    let outputs = block.firstChannel..<block.firstChannel + rows
    let size = GroupedWinograd.tilesOfPart(channels: depth + rows)
    let inputCount = WinogradPlanes.count(channels: depth, lines: size)
    let gradientCount = WinogradPlanes.count(channels: rows, lines: size)
    let sumCount = WinogradPlanes.count(channels: depth, lines: rows)
    let memory = scratch.floats(inputCount + gradientCount + sumCount + rows * taps * depth)
    let inputs = WinogradPlanes(memory, channels: depth, lines: size)
    let gradients = WinogradPlanes(memory + inputCount, channels: rows, lines: size)
    let sums = WinogradPlanes(memory + inputCount + gradientCount, channels: depth, lines: rows)
    for start in stride(from: 0, to: tiles.count, by: size) {
      let part = start..<min(tiles.count, start + size)
      x.transform(tiles, part, channels: block.sources, into: inputs)
      dy.transformGradient(tiles, part, channels: outputs, into: gradients)
      for place in 0..<WinogradPlanes.places {
        PanelProduct.multiplyTurned(
          gradients.panels(place: place), inputs.panels(place: place), into: sums.panels(place: place), rows: rows,
          steps: part.count, groups: depth / Vector.scalarCount, adds: start > 0)
      }
    }
    let matrices = memory + inputCount + gradientCount + sumCount
    matrices.update(repeating: 0, count: rows * taps * depth)
    WinogradWeights.addGradient(sums, to: matrices, inChannels: depth, outputs: 0..<rows, channels: 0..<depth)
    GroupedWeights.addGradient(matrices, of: block, taps: taps, group: channels.group, to: dw)
  }
}
