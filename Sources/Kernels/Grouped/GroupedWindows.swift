/// Convolutions in groups, of any kernel, stride and dilation, as products of windows: the micro-kernel has sixteen
/// channels at a time, and as many windows as stay in the cache of a core.
struct GroupedWindows {
  let shape: ConvolutionShape
  let channels: GroupedChannels

  init(_ shape: ConvolutionShape, _ channels: GroupedChannels) { (self.shape, self.channels) = (shape, channels) }

  private var taps: Int { shape.kernelHeight * shape.kernelWidth }
  /// The floats of a vector's weights as panels.
  private var panelCount: Int { taps * channels.mostSources * Vector.scalarCount }

  /// So many windows that they take a quarter of a MiB.
  private static func rowsOfPart(depth: Int) -> Int { max(32, min(512, (1 << 16) / depth / 16 * 16)) }

  /// Calls `body` for parts of the windows and all blocks of channels.
  private func run(
    _ windows: (GroupedChannels.Block) -> Windows, _ workers: Workers,
    _ body: (_ block: GroupedChannels.Block, _ windows: Windows, _ rows: Range<Int>, _ scratch: Scratch) -> Void
  ) {
    let all = channels.blocks.map(windows)
    let (count, part) = (all[0].count, Self.rowsOfPart(depth: all.map(\.depth).max() ?? 1))
    let parts = (count + part - 1) / part
    workers.run(jobs: parts * all.count) { job, scratch in
      let (index, first) = (job % all.count, job / all.count * part)
      body(channels.blocks[index], all[index], first..<min(count, first + part), scratch)
    }
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
    run({ shape.windows(channels: $0.sources) }, workers) { block, windows, rows, scratch in
      let matrix = windows.matrix(rows, of: x, in: scratch.floats(windows.bufferCount(rows.count)))
      PanelProduct.multiplyRows(
        matrix, stride: windows.depth, panels.from(block.vectors.lowerBound, 0),
        into: y + rows.lowerBound * outChannels + block.firstChannel, stride: outChannels, rows: rows.count,
        steps: windows.depth, groups: block.vectors.count, adds: false)
      epilogue.apply(
        to: y, firstRow: rows.lowerBound, rows: rows.count, firstColumn: block.firstChannel, columns: block.channels,
        stride: outChannels)
    }
  }

  func backwardInput(_ dy: Floats, _ weight: Floats, into dx: Floats, isFresh: Bool, _ workers: Workers) {
    if shape.stride > 1, isFresh {
      workers.clear(dx, count: shape.batch * shape.height * shape.width * shape.inChannels)
    }
    let weightCount = GroupedWeights.count(channels, taps: taps)
    let memory = workers.shared.floats(weightCount + channels.vectors * panelCount)
    let weights = GroupedWeights(weight, channels, taps: taps, in: memory, workers)
    let panels = PanelProduct.Panels(base: memory + weightCount, stride: panelCount)
    for phase in InputPhase.all(of: shape) {
      workers.run(jobs: channels.vectors) { vector, _ in
        var target = panels[vector, 0]
        for tap in phase.taps {
          for o in channels.sources(of: vector) {
            let (start, stride) = weights.line(from: o, to: vector)
            target.vector = (start + tap * stride).vector
            target += Vector.scalarCount
          }
        }
      }
      addGradient(of: phase, dy, panels, into: dx, isFresh: isFresh && shape.stride == 1, workers)
    }
  }

  private func addGradient(
    of phase: InputPhase, _ dy: Floats, _ panels: PanelProduct.Panels, into dx: Floats, isFresh: Bool,
    _ workers: Workers
  ) {
    let inChannels = shape.inChannels
    run({ phase.windows(channels: $0.sources) }, workers) { block, windows, rows, scratch in
      let bufferCount = windows.bufferCount(rows.count)
      let buffer = scratch.floats(bufferCount + rows.count * block.channels)
      let matrix = windows.matrix(rows, of: dy, in: buffer)
      let isMap = shape.stride == 1
      let product = isMap ? dx + rows.lowerBound * inChannels + block.firstChannel : buffer + bufferCount
      let stride = isMap ? inChannels : block.channels
      PanelProduct.multiplyRows(
        matrix, stride: windows.depth, panels.from(block.vectors.lowerBound, 0), into: product, stride: stride,
        rows: rows.count, steps: windows.depth, groups: block.vectors.count, adds: isMap && !isFresh)
      guard !isMap else { return }
      phase.scatter(product, stride, rows, channels: block.channels, addingTo: dx + block.firstChannel)
    }
  }

  /// A job sums over all windows for some output channels and what they see.
  func backwardWeight(_ x: Floats, _ dy: Floats, addingTo dw: Floats, _ workers: Workers) {
    guard shape.outPixels > 0 else { return }
    let jobs = channels.jobs
    workers.run(jobs: jobs.count) { job, scratch in
      let (block, rows) = (jobs[job], jobs[job].channels)
      let windows = shape.windows(channels: block.sources)
      let (depth, length) = (windows.depth, Vector.scalarCount)
      let part = Self.rowsOfPart(depth: depth)
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
