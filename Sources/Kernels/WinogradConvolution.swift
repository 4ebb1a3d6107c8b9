/// 3 × 3 convolutions of stride 1 in all three directions by Winograd's F(4 × 4, 3 × 3): a quarter of the
/// multiplications, as 36 matrix products, one for each of the 6 × 6 places of a transformed tile ("plane").
///
/// Tiles are taken in blocks whose planes stay in the cache. A job multiplies some tiles of a block with the weights of
/// some channels and transforms back at once, so that the products never leave the memory of its thread.
struct WinogradConvolution {
  /// From how many tiles on the transform of the weights is worth its time.
  private static let leastTiles = 32
  /// The floats of a block's transformed tiles, 8 MiB.
  private static let blockFloats = 1 << 21
  /// The tiles of a job, a multiple of the rows of a product; so few tiles altogether are one job for each channel block.
  private static let jobTiles = 96
  /// The output channels of a job.
  private static let jobChannels = 32

  private let shape: ConvolutionShape

  /// Nil for convolutions that are not of this kind.
  init?(_ shape: ConvolutionShape) {
    guard (shape.kernelHeight, shape.kernelWidth, shape.stride) == (3, 3, 1), shape.padding <= 2,
      shape.inChannels % Vector.scalarCount == 0, shape.outChannels % Vector.scalarCount == 0,
      TileGrid(shape.batch, shape.outHeight, shape.outWidth, 0).count >= Self.leastTiles
    else { return nil }
    self.shape = shape
  }

  func forward(_ x: Floats, _ weight: Floats, bias: Floats?, relu: Bool, into y: Floats, _ workers: Workers) {
    let target = output(y)
    let grid = TileGrid(shape.batch, target.height, target.width, shape.padding)
    convolve(
      input(x), TileList(all: grid), weights(weight, isTurned: false), into: target,
      Epilogue(adds: false, bias: bias, relu: relu), workers)
  }

  /// The convolution of `dy` with the weights turned by 180°. Where all of dy that a tile sees is zero, so is the tile:
  /// the gradients of samples have many such tiles.
  func backwardInput(_ dy: Floats, _ weight: Floats, into dx: Floats, isFresh: Bool, _ workers: Workers) {
    let (source, target) = (output(dy), input(dx))
    let grid = TileGrid(shape.batch, target.height, target.width, 2 - shape.padding)
    let tiles = TileList(grid, workers) { source.isZero(grid.inputCorner($0), side: InputTransform.size) }
    if isFresh { target.clear(tiles.others, grid, workers) }
    convolve(
      source, tiles, weights(weight, isTurned: true), into: target, Epilogue(adds: !isFresh, bias: nil, relu: false),
      workers)
  }

  /// A sum over tiles; those whose dy is zero are left out.
  func backwardWeight(_ x: Floats, _ dy: Floats, addingTo dw: Floats, _ workers: Workers) {
    let (source, gradient) = (input(x), output(dy))
    let grid = TileGrid(shape.batch, shape.outHeight, shape.outWidth, shape.padding)
    let tiles = TileList(grid, workers) { gradient.isZero(grid.outputCorner($0), side: OutputTransform.outSize) }
    WinogradWeightGradient(shape).add(source, gradient, tiles, to: dw, workers)
  }

  private func input(_ values: Floats) -> TiledMap {
    TiledMap(values, shape.batch, shape.height, shape.width, shape.inChannels)
  }

  private func output(_ values: Floats) -> TiledMap {
    TiledMap(values, shape.batch, shape.outHeight, shape.outWidth, shape.outChannels)
  }

  private func weights(_ values: Floats, isTurned: Bool) -> WinogradWeights {
    WinogradWeights(
      values: values, inChannels: shape.inChannels, outChannels: shape.outChannels, isTurned: isTurned)
  }

  private func convolve(
    _ source: TiledMap, _ tiles: TileList, _ weights: WinogradWeights, into target: TiledMap, _ epilogue: Epilogue,
    _ workers: Workers
  ) {
    let fitting = max(1, Self.blockFloats / (WinogradPlanes.places * source.channels * Self.jobTiles)) * Self.jobTiles
    let block = max(1, min(tiles.count, fitting))
    let isOneJob = tiles.count <= Self.jobTiles
    let inputCount = WinogradPlanes.count(channels: source.channels, lines: block)
    let weightCount = WinogradPlanes.count(channels: target.channels, lines: source.channels)
    let memory = workers.shared.floats(inputCount + (isOneJob ? 0 : weightCount))
    let inputs = WinogradPlanes(memory, channels: source.channels, lines: block)
    var shared: WinogradPlanes?
    if !isOneJob {
      let planes = WinogradPlanes(memory + inputCount, channels: target.channels, lines: source.channels)
      workers.run(jobs: target.channels / Vector.scalarCount) { group, _ in
        weights.transform(group: group, into: planes, at: group)
      }
      shared = planes
    }
    for start in stride(from: 0, to: tiles.count, by: block) {
      let part = start..<min(tiles.count, start + block)
      source.transformed(tiles, part, into: inputs, workers)
      multiply(inputs, tiles, part, weights, shared, into: target, epilogue, workers)
    }
  }

  private func multiply(
    _ inputs: WinogradPlanes, _ tiles: TileList, _ block: Range<Int>, _ weights: WinogradWeights,
    _ shared: WinogradPlanes?, into target: TiledMap, _ epilogue: Epilogue, _ workers: Workers
  ) {
    let parts = (block.count + Self.jobTiles - 1) / Self.jobTiles
    let (sourceChannels, channels) = (weights.sourceChannels, Self.jobChannels)
    let groups = channels / Vector.scalarCount
    let channelBlocks = (target.channels + channels - 1) / channels
    let sumCount = WinogradPlanes.count(channels: channels, lines: Self.jobTiles)
    let weightCount = WinogradPlanes.count(channels: channels, lines: sourceChannels)
    workers.run(jobs: parts * channelBlocks) { job, scratch in
      let (part, firstGroup) = (job % parts * Self.jobTiles, job / parts * groups)
      let groupCount = min(groups, target.channels / Vector.scalarCount - firstGroup)
      let count = min(Self.jobTiles, block.count - part)
      let memory = scratch.floats(sumCount + (shared == nil ? weightCount : 0))
      let sums = WinogradPlanes(memory, channels: channels, lines: Self.jobTiles)
      let planes = shared ?? WinogradPlanes(memory + sumCount, channels: channels, lines: sourceChannels)
      if shared == nil {
        for group in 0..<groupCount { weights.transform(group: firstGroup + group, into: planes, at: group) }
      }
      for place in 0..<WinogradPlanes.places {
        PanelProduct.multiply(
          inputs.panels(place: place, line: part),
          planes.panels(place: place, group: shared == nil ? 0 : firstGroup),
          into: sums.panels(place: place), rows: count, steps: sourceChannels, groups: groupCount)
      }
      let start = block.lowerBound + part
      target.store(sums, tiles, start..<start + count, groups: firstGroup..<firstGroup + groupCount, epilogue)
    }
  }
}
