/// Convolutions in groups, of any kernel, stride and dilation, as products of windows: the micro-kernel has sixteen
/// channels at a time, and as many windows as stay in the cache of a core.
///
/// A job has some windows of a run of blocks that lie side by side in the map's pixels, and copies them all at once, so
/// that memory is read in its order.
struct GroupedWindows {
  private typealias Run = ArraySlice<GroupedChannels.Block>

  private let shape: ConvolutionShape
  private let channels: GroupedChannels
  private let runs: [Run]
  private let taps: Int

  init(_ shape: ConvolutionShape, _ channels: GroupedChannels) {
    (self.shape, self.channels) = (shape, channels)
    runs = channels.runs(sources: 512)
    taps = shape.kernelHeight * shape.kernelWidth
  }

  /// The floats of a vector's weights as panels.
  private var panelCount: Int { taps * channels.mostSources * Vector.scalarCount }

  /// So many windows that those of a run take half a MiB.
  private func windowsOfPart(taps: Int, sources: Int) -> Int {
    max(16, min(512, (1 << 17) / (taps * sources) / 8 * 8))
  }

  private func parts(of count: Int, taps: Int) -> [Range<Int>] {
    let size = windowsOfPart(taps: taps, sources: runs.map(\.sources).max() ?? 1)
    return stride(from: 0, to: count, by: size).map { $0..<min(count, $0 + size) }
  }

  func forward(
    _ x: Floats, _ weight: Floats, _ epilogue: ConvolutionEpilogue, into y: Floats, _ workers: Workers
  ) {
    let (length, outChannels) = (Vector.scalarCount, shape.outChannels)
    let windows = shape.windows(channels: 0..<shape.inChannels)
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
    let parts = parts(of: shape.outPixels, taps: taps)
    workers.run(jobs: parts.count * runs.count) { job, scratch in
      let (rows, run) = (parts[job / runs.count], runs[job % runs.count])
      multiply(
        windows, rows, of: x, run, panels, firstTap: 0, into: y + rows.lowerBound * outChannels,
        stride: outChannels, scratch.floats(rows.count * taps * run.sources))
      epilogue.apply(
        to: y, firstRow: rows.lowerBound, rows: rows.count, firstColumn: run.firstChannel, columns: run.channels,
        stride: outChannels)
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
    workers.run(jobs: parts.count * runs.count) { job, scratch in
      let ((phase, rows, firstTap), run) = (parts[job / runs.count], runs[job % runs.count])
      let (windows, columns) = (phase.windows(channels: 0..<shape.outChannels), run.channels)
      let product = scratch.floats(rows.count * (columns + phase.taps.count * run.sources))
      multiply(
        windows, rows, of: dy, run, panels, firstTap: firstTap, into: product - run.firstChannel, stride: columns,
        product + rows.count * columns)
      phase.scatter(product, columns, rows, channels: columns, to: dx + run.firstChannel, adds: !isFresh)
    }
  }

  /// Some windows of the phases, and the number of the taps of the phases before.
  private func parts(of phases: [InputPhase]) -> [(phase: InputPhase, rows: Range<Int>, firstTap: Int)] {
    var firstTap = 0
    return phases.flatMap { phase in
      defer { firstTap += phase.taps.count }
      let count = phase.windows(channels: 0..<shape.outChannels).count
      return parts(of: count, taps: phase.taps.count).map { (phase, $0, firstTap) }
    }
  }

  /// Writes the products of the windows `rows` of a run's blocks with their panels.
  ///
  /// - Parameters:
  ///   - windows: of all channels.
  ///   - firstTap: where in the panels those of the windows begin.
  ///   - target: of the first window and of channel 0; windows are `stride` floats apart.
  ///   - buffer: room for the windows.
  private func multiply(
    _ windows: Windows, _ rows: Range<Int>, of map: Floats, _ run: Run, _ panels: PanelProduct.Panels, firstTap: Int,
    into target: Floats, stride: Int, _ buffer: Floats
  ) {
    let taps = windows.kernelHeight * windows.kernelWidth
    var (places, base): ([Windows.VectorPlace], Int) = ([], 0)
    for block in run {
      let depth = taps * block.sources.count
      for channel in Swift.stride(from: 0, to: block.sources.count, by: Vector.scalarCount) {
        places.append(
          Windows.VectorPlace(
            source: block.sources.lowerBound + channel, target: base + channel, windowStride: depth,
            tapStride: block.sources.count))
      }
      base += rows.count * depth
    }
    windows.write(rows, of: map, places, into: buffer)
    var matrix = buffer
    for block in run {
      let depth = taps * block.sources.count
      PanelProduct.multiplyRows(
        matrix, stride: depth, panels.from(block.vectors.lowerBound, firstTap * block.sources.count),
        into: target + block.firstChannel, stride: stride, rows: rows.count, steps: depth,
        groups: block.vectors.count, adds: false)
      matrix += rows.count * depth
    }
  }

  /// Few weights, many pixels: each job sums over its pixels, then the sums are added in order. Many weights: each job sums
  /// for its part of them over all pixels.
  func backwardWeight(_ x: Floats, _ dy: Floats, addingTo dw: Floats, _ workers: Workers) {
    let (pixels, count) = (shape.outPixels, sumCount(channels.blocks[...]))
    guard pixels > 0 else { return }
    guard count <= 1 << 18 else {
      let runs = channels.jobRuns
      return workers.run(jobs: runs.count) { job, scratch in
        let (run, count) = (runs[job], sumCount(runs[job]))
        let sums = scratch.floats(count + bufferCount(run))
        sum(run, 0..<pixels, x, dy, into: sums, buffer: sums + count)
        add(sums, of: run, to: dw, buffer: sums + count)
      }
    }
    let chunk = max(64, (pixels + 7) / 8)
    let chunks = (pixels + chunk - 1) / chunk
    let partial = workers.shared.floats(chunks * count)
    workers.run(jobs: chunks * runs.count) { job, scratch in
      let (first, run) = (job / runs.count * chunk, runs[job % runs.count])
      let sums = partial + job / runs.count * count + sumCount(channels.blocks[..<run.startIndex])
      sum(run, first..<min(pixels, first + chunk), x, dy, into: sums, buffer: scratch.floats(bufferCount(run)))
    }
    workers.run(jobs: channels.blocks.count) { job, scratch in
      let block = channels.blocks[job...job]
      let (sums, length) = (partial + sumCount(channels.blocks[..<job]), sumCount(block))
      for part in 1..<max(1, chunks) { for i in 0..<length { sums[i] += sums[part * count + i] } }
      add(sums, of: block, to: dw, buffer: scratch.floats(length))
    }
  }

  /// The floats of the sums of a run's blocks.
  private func sumCount(_ run: Run) -> Int { run.reduce(0) { $0 + $1.channels * taps * $1.sources.count } }

  /// The floats of the windows of a part, and of the sums in another order.
  private func bufferCount(_ run: Run) -> Int {
    max(windowsOfPart(taps: taps, sources: run.sources) * taps * run.sources, sumCount(run))
  }

  /// Writes Σ dy ⊗ windows of each block, `[column / 16][channel][16]`.
  private func sum(
    _ run: Run, _ pixels: Range<Int>, _ x: Floats, _ dy: Floats, into target: Floats, buffer: Floats
  ) {
    let (length, windows) = (Vector.scalarCount, shape.windows(channels: 0..<shape.inChannels))
    let size = windowsOfPart(taps: taps, sources: run.sources)
    for first in stride(from: pixels.lowerBound, to: pixels.upperBound, by: size) {
      let range = first..<min(pixels.upperBound, first + size)
      windows.write(range, of: x, panelPlaces(of: run, windows: range.count), into: buffer)
      var (panels, sums) = (buffer, target)
      for block in run {
        let depth = taps * block.sources.count
        PanelProduct.multiplyTurned(
          PanelProduct.Panels(
            base: dy + first * shape.outChannels + block.firstChannel, stride: length, lineStride: shape.outChannels),
          PanelProduct.Panels(base: panels, stride: range.count * length),
          into: PanelProduct.Panels(base: sums, stride: block.channels * length), rows: block.channels,
          steps: range.count, groups: depth / length, adds: first > pixels.lowerBound)
        panels += range.count * depth
        sums += block.channels * depth
      }
    }
  }

  private func add(_ sums: Floats, of run: Run, to dw: Floats, buffer: Floats) {
    let length = Vector.scalarCount
    var sums = sums
    for block in run {
      let depth = taps * block.sources.count
      for group in 0..<depth / length {
        for o in 0..<block.channels {
          (buffer + o * depth + group * length).vector = (sums + (group * block.channels + o) * length).vector
        }
      }
      GroupedWeights.addGradient(buffer, of: block, taps: taps, group: channels.group, to: dw)
      sums += block.channels * depth
    }
  }

  /// The windows of each block as `[column / 16][window][16]`.
  private func panelPlaces(of run: Run, windows: Int) -> [Windows.VectorPlace] {
    var (places, base): ([Windows.VectorPlace], Int) = ([], 0)
    for block in run {
      let vectors = block.sources.count / Vector.scalarCount
      for vector in 0..<vectors {
        places.append(
          Windows.VectorPlace(
            source: block.sources.lowerBound + vector * Vector.scalarCount,
            target: base + vector * windows * Vector.scalarCount, windowStride: Vector.scalarCount,
            tapStride: vectors * windows * Vector.scalarCount))
      }
      base += windows * taps * block.sources.count
    }
    return places
  }
}
