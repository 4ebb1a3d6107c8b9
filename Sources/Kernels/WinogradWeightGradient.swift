/// Gᵀ [Σ (A dy Aᵀ) ⊙ (Bᵀ x B)] G, the sum over all tiles: at each place a product of channels by channels.
///
/// Tiles are taken in blocks whose planes stay in the cache. A job sums for some output and some input channels; when one
/// block has all tiles, its sums never leave the memory of its thread.
struct WinogradWeightGradient {
  /// The floats of a block's transformed tiles, 16 MiB.
  private static let blockFloats = 1 << 22
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

  /// Adds to `dw`, `[out, 3, 3, in]`.
  func add(_ x: TiledMap, _ dy: TiledMap, _ tiles: TileList, to dw: Floats, _ workers: Workers) {
    let fitting = Self.blockFloats / (WinogradPlanes.places * (inChannels + outChannels)) / 16 * 16
    let block = min(tiles.count, max(64, fitting))
    let isOneBlock = block == tiles.count
    let inputCount = WinogradPlanes.count(channels: inChannels, lines: block)
    let gradientCount = WinogradPlanes.count(channels: outChannels, lines: block)
    let memory = workers.shared.floats(inputCount + gradientCount + (isOneBlock ? 0 : jobs * sumCount))
    let inputs = WinogradPlanes(memory, channels: inChannels, lines: block)
    let gradients = WinogradPlanes(memory + inputCount, channels: outChannels, lines: block)
    let shared = isOneBlock ? nil : memory + inputCount + gradientCount
    for start in stride(from: 0, to: tiles.count, by: max(1, block)) {
      let part = start..<min(tiles.count, start + block)
      x.transformed(tiles, part, into: inputs, workers)
      dy.transformedGradient(tiles, part, into: gradients, workers)
      workers.run(jobs: jobs) { job, scratch in
        let (outputs, channels) = ranges(job)
        let base = shared.map { $0 + job * sumCount } ?? scratch.floats(sumCount)
        let sums = WinogradPlanes(base, channels: jobColumns, lines: jobRows)
        for place in 0..<WinogradPlanes.places {
          PanelProduct.multiplyTurned(
            gradients.panels(place: place, group: outputs.lowerBound / Vector.scalarCount),
            inputs.panels(place: place, group: channels.lowerBound / Vector.scalarCount),
            into: sums.panels(place: place), rows: outputs.count, steps: part.count,
            groups: channels.count / Vector.scalarCount, adds: start > 0)
        }
        if part.upperBound == tiles.count {
          WinogradWeights.addGradient(sums, to: dw, inChannels: inChannels, outputs: outputs, channels: channels)
        }
      }
    }
  }

  private func ranges(_ job: Int) -> (outputs: Range<Int>, channels: Range<Int>) {
    let (row, column) = (job / columnJobs * jobRows, job % columnJobs * jobColumns)
    return (row..<min(outChannels, row + jobRows), column..<min(inChannels, column + jobColumns))
  }
}
