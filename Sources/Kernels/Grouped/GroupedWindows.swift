/// Convolutions in groups, of any kernel, stride and dilation, as products of windows: the micro-kernel has sixteen
/// channels at a time, and as many windows as stay in the cache of a core.
struct GroupedWindows {
  let shape: ConvolutionShape
  let channels: GroupedChannels

  init(_ shape: ConvolutionShape, _ channels: GroupedChannels) { (self.shape, self.channels) = (shape, channels) }

  private var taps: Int { shape.kernelHeight * shape.kernelWidth }
  /// The floats of a vector's weights as panels.
  private var panelCount: Int { taps * channels.mostSources * Vector.scalarCount }

  /// So many windows that they take a quarter of a MiB, and that their pixels take about one.
  private func rowsOfPart(depth: Int) -> Int {
    let pixels = (1 << 18) / (shape.stride * shape.stride * shape.inChannels)
    return max(32, min(512, (1 << 16) / depth, pixels) / 16 * 16)
  }

  func forward(
    _ x: Floats, _ weight: Floats, _ epilogue: ConvolutionEpilogue, into y: Floats, _ workers: Workers
  ) {
    let (length, outChannels) = (Vector.scalarCount, shape.outChannels)
    let weightCount = GroupedWeights.count(channels, taps: taps)
    let memory = workers.shared.floats(weightCount + channels.vectors * panelCount)
    let weights = GroupedWeights(weight, channels, taps: taps, in: memory, workers)
    let panels = PanelProduct.Panels(base: memory + weightCount, stride: panelCount)
    workers.run(jobs: channels.vectors) { vector, _ in
      let depth = taps * channels.sources(of: vector).count
      let target = UnsafeMutableRawPointer(panels[vector, 0]).assumingMemoryBound(to: Vector.self)
      for step in stride(from: 0, to: depth, by: length) {
        Transposition.write(weights.matrix(vector) + step, stride: depth, to: target + step)
      }
    }
    let count = shape.outPixels
    let size = rowsOfPart(depth: taps * channels.mostSources)
    let chunks = channels.chunks(beside: (count + size - 1) / size)
    workers.run(jobs: (count + size - 1) / size * chunks.count) { job, scratch in
      let first = job / chunks.count * size
      let rows = first..<min(count, first + size)
      for block in chunks[job % chunks.count] {
        let windows = shape.windows(channels: block.sources)
        let matrix = windows.matrix(rows, of: x, in: scratch.floats(windows.bufferCount(rows.count)))
        PanelProduct.multiplyRows(
          matrix, stride: windows.depth, panels.from(block.vectors.lowerBound, 0),
          into: y + rows.lowerBound * outChannels + block.firstChannel, stride: outChannels, rows: rows.count,
          steps: windows.depth, groups: block.vectors.count, adds: false)
        epilogue.apply(
          to: y, firstRow: rows.lowerBound, rows: rows.count, firstColumn: block.firstChannel,
          columns: block.channels, stride: outChannels)
      }
    }
  }

  func backwardInput(_ dy: Floats, _ weight: Floats, into dx: Floats, isFresh: Bool, _ workers: Workers) {
    let phases = InputPhase.all(of: shape)
    if isFresh, phases.count < shape.stride * shape.stride {
      workers.clear(dx, count: shape.batch * shape.height * shape.width * shape.inChannels)
    }
    let weightCount = GroupedWeights.count(channels, taps: taps)
    let memory = workers.shared.floats(weightCount + channels.vectors * panelCount)
    let weights = GroupedWeights(weight, channels, taps: taps, in: memory, workers)
    let panels = PanelProduct.Panels(base: memory + weightCount, stride: panelCount)
    let order = phases.flatMap(\.taps)
    workers.run(jobs: channels.vectors) { vector, _ in
      var target = panels[vector, 0]
      for tap in order {
        for o in channels.sources(of: vector) {
          let (start, stride) = weights.line(from: o, to: vector)
          target.vector = (start + tap * stride).vector
          target += Vector.scalarCount
        }
      }
    }
    let parts = parts(of: phases)
    let chunks = channels.chunks(beside: parts.count)
    workers.run(jobs: parts.count * chunks.count) { job, scratch in
      let part = parts[job / chunks.count]
      for block in chunks[job % chunks.count] {
        write(part, block, dy, panels, to: dx, adds: !isFresh, scratch)
      }
    }
  }

  /// Some windows of a phase, and the number of the taps of the phases before it.
  private typealias PhasePart = (phase: InputPhase, rows: Range<Int>, firstTap: Int)

  private func parts(of phases: [InputPhase]) -> [PhasePart] {
    var firstTap = 0
    return phases.flatMap { phase in
      defer { firstTap += phase.taps.count }
      let count = phase.windows(channels: 0..<shape.outChannels).count
      let size = rowsOfPart(depth: phase.taps.count * channels.mostSources)
      return stride(from: 0, to: count, by: size).map { (phase, $0..<min(count, $0 + size), firstTap) }
    }
  }

  private func write(
    _ part: PhasePart, _ block: GroupedChannels.Block, _ dy: Floats, _ panels: PanelProduct.Panels, to dx: Floats,
    adds: Bool, _ scratch: Scratch
  ) {
    let windows = part.phase.windows(channels: block.sources)
    let (rows, columns) = (part.rows.count, block.channels)
    let product = scratch.floats(rows * columns + windows.bufferCount(rows))
    let matrix = windows.matrix(part.rows, of: dy, in: product + rows * columns)
    PanelProduct.multiplyRows(
      matrix, stride: windows.depth, panels.from(block.vectors.lowerBound, part.firstTap * block.sources.count),
      into: product, stride: columns, rows: rows, steps: windows.depth, groups: block.vectors.count, adds: false)
    part.phase.scatter(product, columns, part.rows, channels: columns, to: dx + block.firstChannel, adds: adds)
  }

  /// A job sums over all windows for some output channels and what they see.
  func backwardWeight(_ x: Floats, _ dy: Floats, addingTo dw: Floats, _ workers: Workers) {
    guard shape.outPixels > 0 else { return }
    let jobs = channels.jobs
    workers.run(jobs: jobs.count) { job, scratch in
      let (block, rows) = (jobs[job], jobs[job].channels)
      let windows = shape.windows(channels: block.sources)
      let (depth, length) = (windows.depth, Vector.scalarCount)
      let part = rowsOfPart(depth: depth)
      let memory = scratch.floats(part * depth + 2 * rows * depth)
      let (sums, matrices) = (memory + part * depth, memory + part * depth + rows * depth)
      for first in stride(from: 0, to: windows.count, by: part) {
        let range = first..<min(windows.count, first + part)
        windows.writePanels(range, of: x, into: memory)
        PanelProduct.multiplyTurned(
          PanelProduct.Panels(
            base: dy + first * shape.outChannels + block.firstChannel, stride: length, lineStride: shape.outChannels),
          PanelProduct.Panels(base: memory, stride: range.count * length),
          into: PanelProduct.Panels(base: sums, stride: rows * length), rows: rows, steps: range.count,
          groups: depth / length, adds: first > 0)
      }
      for group in 0..<depth / length {
        for o in 0..<rows {
          (matrices + o * depth + group * length).vector = (sums + (group * rows + o) * length).vector
        }
      }
      GroupedWeights.addGradient(matrices, of: block, taps: taps, group: channels.group, to: dw)
    }
  }
}
