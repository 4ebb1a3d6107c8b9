/// Gᵀ [Σ (A dy Aᵀ) ⊙ (Bᵀ x B)] G, the sum over all tiles: at each place a product of channels by channels.
///
/// Tiles are taken in blocks whose planes stay in the cache. A job sums for some output and some input channels; when one
/// block has all tiles, its sums never leave the memory of its thread.
struct WinogradWeightGradient {
  /// The most input channels of a job.
  private static let mostColumns = 128

  private let inChannels: Int
  private let outChannels: Int
  private let jobRows: Int
  private let jobColumns: Int

  init(_ shape: ConvolutionShape) {
    (inChannels, outChannels) = (shape.inChannels, shape.outChannels)
    jobRows = max(16, min(64, outChannels / 128 * 16))
    jobColumns = min(inChannels, Self.mostColumns)
  }

  private var columnJobs: Int { (inChannels + jobColumns - 1) / jobColumns }
  private var jobs: Int { (outChannels + jobRows - 1) / jobRows * columnJobs }
  private var sumCount: Int { WinogradPlanes.count(channels: jobColumns, lines: jobRows) }

  /// The tiles of a block: their planes are as large as the sums, but have 4 to 16 MiB. One block may have room for the
  /// sums too, which it doesn't share.
  private func blockSize(_ count: Int) -> Int {
    let tileFloats = WinogradPlanes.places * (inChannels + outChannels)
    let sumFloats = WinogradPlanes.places * inChannels * outChannels
    let blockFloats = max(1 << 20, min(1 << 22, sumFloats))
    return count * tileFloats <= blockFloats + sumFloats ? count : blockFloats / tileFloats
  }

  /// Adds to `dw`, `[out, 3, 3, in]`.
  func add(_ x: TiledMap, _ dy: TiledMap, _ tiles: TileList, to dw: Floats, _ workers: Workers) {
    let block = blockSize(tiles.count)
    let isOneBlock = block == tiles.count
    let inputCount = WinogradPlanes.count(channels: inChannels, lines: block)
    let gradientCount = WinogradPlanes.count(channels: outChannels, lines: block)
    let memory = workers.shared.floats(inputCount + gradientCount + (isOneBlock ? 0 : jobs * sumCount))
    let inputs = WinogradPlanes(memory, channels: inChannels, lines: block)
    let gradients = WinogradPlanes(memory + inputCount, channels: outChannels, lines: block)
    let shared = isOneBlock ? nil : memory + inputCount + gradientCount
    for start in stride(from: 0, to: tiles.count, by: max(1, block)) {
      let part = start..<min(tiles.count, start + block)
      workers.run(over: part.count, grain: 8) { range in
        let these = start + range.lowerBound..<start + range.upperBound
        x.transform(tiles, these, into: inputs, from: range.lowerBound)
        dy.transformGradient(tiles, these, into: gradients, from: range.lowerBound)
      }
      workers.run(jobs: jobs) { job, scratch in
        let base = shared.map { $0 + job * sumCount } ?? scratch.floats(sumCount)
        let sums = WinogradPlanes(base, channels: jobColumns, lines: jobRows)
        multiply(gradients, inputs, tiles: part.count, into: sums, adds: start > 0, job)
        guard part.upperBound == tiles.count else { return }
        let (outputs, channels) = ranges(job)
        WinogradWeights.addGradient(sums, to: dw, inChannels: inChannels, outputs: outputs, channels: channels)
      }
    }
  }

  private func multiply(
    _ gradients: WinogradPlanes, _ inputs: WinogradPlanes, tiles: Int, into sums: WinogradPlanes, adds: Bool, _ job: Int
  ) {
    let (outputs, channels) = ranges(job)
    for place in 0..<WinogradPlanes.places {
      PanelProduct.multiplyTurned(
        gradients.panels(place: place, group: outputs.lowerBound / Vector.scalarCount),
        inputs.panels(place: place, group: channels.lowerBound / Vector.scalarCount),
        into: sums.panels(place: place), rows: outputs.count, steps: tiles,
        groups: channels.count / Vector.scalarCount, adds: adds)
    }
  }

  private func ranges(_ job: Int) -> (outputs: Range<Int>, channels: Range<Int>) {
    let (row, column) = (job / columnJobs * jobRows, job % columnJobs * jobColumns)
    return (row..<min(outChannels, row + jobRows), column..<min(inChannels, column + jobColumns))
  }
}
