/// Aᵀ [(G w Gᵀ) ⊙ (Bᵀ x B)] A for tiles of a map: at each place a product of tiles by channels.
///
/// A job multiplies some tiles with the weights of some channels and transforms the sums back at once, so that they never
/// leave the cache of its core.
struct WinogradProduct {
  /// The output channels of a product.
  private static let channels = 32
  private static let groups = channels / Vector.scalarCount

  let source: TiledMap
  let tiles: TileList
  let weights: WinogradWeights
  let target: TiledMap
  let epilogue: ConvolutionEpilogue
  /// Whether the result is added to what is in the target.
  let adds: Bool

  func run(_ workers: Workers) {
    if tiles.count <= target.channels { runByChannels(workers) } else { runByTiles(workers) }
  }

  private var targetGroups: Int { target.channels / Vector.scalarCount }

  /// For few tiles, beside which the transformed weights are large. All tiles are transformed first; a job has all of
  /// them and some channels of the weights, which it transforms where it uses them.
  private func runByChannels(_ workers: Workers) {
    let count = tiles.count
    let sumCount = WinogradPlanes.count(channels: Self.channels, lines: count)
    let weightCount = WinogradPlanes.count(channels: Self.channels, lines: source.channels)
    let memory = workers.shared.floats(WinogradPlanes.count(channels: source.channels, lines: count))
    let inputs = WinogradPlanes(memory, channels: source.channels, lines: count)
    workers.run(over: count, grain: 8) { source.transform(tiles, $0, into: inputs, from: $0.lowerBound) }
    workers.run(jobs: (targetGroups + Self.groups - 1) / Self.groups) { job, scratch in
      let memory = scratch.floats(sumCount + weightCount)
      let sums = WinogradPlanes(memory, channels: Self.channels, lines: count)
      let planes = WinogradPlanes(memory + sumCount, channels: Self.channels, lines: source.channels)
      let groups = job * Self.groups..<min(targetGroups, (job + 1) * Self.groups)
      for group in groups { weights.transform(group: group, into: planes, at: group - groups.lowerBound) }
      multiply(inputs, 0..<count, planes, from: 0, groups, sums)
    }
  }

  /// All weights are transformed first; a job has all of them and as many tiles as stay in the cache of a core.
  private func runByTiles(_ workers: Workers) {
    let block = max(48, min(96, 12_288 / source.channels / 48 * 48))
    let sumCount = WinogradPlanes.count(channels: Self.channels, lines: block)
    let inputCount = WinogradPlanes.count(channels: source.channels, lines: block)
    let memory = workers.shared.floats(WinogradPlanes.count(channels: target.channels, lines: source.channels))
    let planes = WinogradPlanes(memory, channels: target.channels, lines: source.channels)
    workers.run(jobs: targetGroups) { group, _ in weights.transform(group: group, into: planes, at: group) }
    workers.run(jobs: (tiles.count + block - 1) / block) { job, scratch in
      let part = job * block..<min(tiles.count, (job + 1) * block)
      let memory = scratch.floats(sumCount + inputCount)
      let sums = WinogradPlanes(memory, channels: Self.channels, lines: block)
      let inputs = WinogradPlanes(memory + sumCount, channels: source.channels, lines: block)
      source.transform(tiles, part, into: inputs)
      for group in stride(from: 0, to: targetGroups, by: Self.groups) {
        multiply(inputs, part, planes, from: group, group..<min(targetGroups, group + Self.groups), sums)
      }
    }
  }

  /// - Parameters:
  ///   - inputs: the tiles of `part`.
  ///   - planes: the weights, with those of `groups` from group `first` on.
  ///   - sums: room for the products.
  private func multiply(
    _ inputs: WinogradPlanes, _ part: Range<Int>, _ planes: WinogradPlanes, from first: Int, _ groups: Range<Int>,
    _ sums: WinogradPlanes
  ) {
    for place in 0..<WinogradPlanes.places {
      PanelProduct.multiply(
        inputs.panels(place: place), planes.panels(place: place, group: first), into: sums.panels(place: place),
        rows: part.count, steps: source.channels, groups: groups.count)
    }
    target.store(sums, tiles, part, groups: groups, epilogue, adds: adds)
  }
}
