/// The right-hand matrix of a product, `[step, column]`, packed for `PanelProduct`: `[column / 16][step][16]`, with zeros
/// beyond the last column. It is packed once for all rows that are multiplied by it.
struct PackedMatrix {
  private static let length = Vector.scalarCount
  /// The most floats that are packed at a time, 8 MiB: they are to stay in the cache.
  private static let limit = 1 << 21

  /// How much of a long side is packed at a time, where the other side is `other` long: the weights of a linear layer on
  /// many features are packed part by part.
  static func part(of side: Int, beside other: Int) -> Int { min(side, max(128, limit / other / 128 * 128)) }

  let steps: Int
  let columns: Int
  private let panels: PanelProduct.Panels

  /// The floats that it takes.
  static func count(steps: Int, columns: Int) -> Int { groups(columns) * steps * length }

  /// Packs `matrix`, `[column, step]`, columns `stride` floats apart: the weights of a forward pass.
  init(transposing matrix: Floats, stride: Int, steps: Int, columns: Int, in memory: Floats, _ workers: Workers) {
    self.init(steps: steps, columns: columns, in: memory)
    workers.run(jobs: Self.groups(columns)) { group, _ in
      let (target, first) = (panels[group, 0], group * Self.length)
      let isWhole = first + Self.length <= columns
      let squares = isWhole ? steps / Self.length : 0
      let vectors = UnsafeMutableRawPointer(target).assumingMemoryBound(to: Vector.self)
      for square in 0..<squares {
        let step = square * Self.length
        Transposition.write(matrix + first * stride + step, stride: stride, to: vectors + step)
      }
      for step in squares * Self.length..<max(steps, squares * Self.length) {
        for i in 0..<Self.length {
          target[step * Self.length + i] = first + i < columns ? matrix[(first + i) * stride + step] : 0
        }
      }
    }
  }

  /// Packs lines of neighbouring columns, one a step: the weights of an input gradient.
  init(lines: [Floats], columns: Int, in memory: Floats, _ workers: Workers) {
    self.init(steps: lines.count, columns: columns, in: memory)
    workers.run(jobs: Self.groups(columns)) { group, _ in
      let (target, first) = (panels[group, 0], group * Self.length)
      let isWhole = first + Self.length <= columns
      for (step, line) in lines.enumerated() {
        if isWhole {
          (target + step * Self.length).vector = (line + first).vector
        } else {
          for i in 0..<Self.length { target[step * Self.length + i] = first + i < columns ? line[first + i] : 0 }
        }
      }
    }
  }

  private init(steps: Int, columns: Int, in memory: Floats) {
    (self.steps, self.columns) = (steps, columns)
    panels = PanelProduct.Panels(base: memory, stride: steps * Self.length)
  }

  private static func groups(_ columns: Int) -> Int { (columns + length - 1) / length }

  /// Writes `range` of the columns of `c = a · b`, or adds to them.
  ///
  /// - Parameters:
  ///   - a: `[rows, steps]`, rows `aStride` floats apart.
  ///   - range: starts at a multiple of 16, and ends at one or with the last column.
  ///   - c: `[rows, columns]`, rows `cStride` floats apart.
  func multiply(
    _ a: Floats, stride aStride: Int, rows: Int, columns range: Range<Int>, into c: Floats, stride cStride: Int,
    adds: Bool
  ) {
    let whole = range.count / Self.length
    let first = range.lowerBound / Self.length
    PanelProduct.multiplyRows(
      a, stride: aStride, panels.from(first, 0), into: c + range.lowerBound, stride: cStride, rows: rows, steps: steps,
      groups: whole, adds: adds)
    let rest = range.count % Self.length
    guard rest > 0 else { return }
    multiplyRest(
      a, aStride, rows: rows, group: first + whole, into: c + range.upperBound - rest, cStride, count: rest, adds: adds)
  }

  /// The last columns, fewer than 16: a whole group is summed beside c.
  private func multiplyRest(
    _ a: Floats, _ aStride: Int, rows: Int, group: Int, into c: Floats, _ cStride: Int, count: Int, adds: Bool
  ) {
    let (length, blockRows) = (Self.length, 64)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: blockRows * length) { buffer in
      guard let sums = buffer.baseAddress else { return }
      for row in stride(from: 0, to: rows, by: blockRows) {
        let part = min(blockRows, rows - row)
        PanelProduct.multiplyRows(
          a + row * aStride, stride: aStride, panels.from(group, 0), into: sums, stride: length, rows: part,
          steps: steps, groups: 1, adds: false)
        for r in 0..<part {
          let target = c + (row + r) * cStride
          for i in 0..<count { target[i] = adds ? target[i] + sums[r * length + i] : sums[r * length + i] }
        }
      }
    }
  }
}
