internal import CMachine

/// Products of matrices that lie in memory in the order in which they are read:
///
///     c[row, column] = Σ_step a[row, step] · b[step, column]
///
/// A block of c stays in registers over many steps: each step multiplies one vector or two of b with some rows of a. All
/// matrices lie in groups of 16 numbers, `[group][line][16]`: b and c with columns in the groups and steps or rows as
/// lines; a in either way.
enum PanelProduct {
  /// With 32 registers of 16 numbers (AVX-512), two vectors of b serve each number of a; else one, in 2 or 4 registers.
  private static var hasWideRegisters: Bool { machine_register_floats >= 16 }
  private static var vectors: Int { hasWideRegisters ? 2 : 1 }

  /// The rows of a block when a lies as `[step / 16][row][16]`, which needs room for a multiple of them.
  static var rows: Int { hasWideRegisters ? 8 : 6 }
  /// The rows of a block when a lies as `[row / 16][step][16]`.
  private static var turnedRows: Int { hasWideRegisters ? 8 : 4 }

  /// A matrix `[group][line][16]`: `stride` floats from group to group.
  struct Panels {
    let base: Floats
    let stride: Int

    subscript(group: Int, line: Int) -> Floats { base + group * stride + line * Vector.scalarCount }

    func from(_ group: Int, _ line: Int) -> Panels { Panels(base: self[group, line], stride: stride) }
  }

  /// How many steps a register sums. The sums of further steps are added in memory, so that the error does not grow
  /// with their number, and what is read of b for many rows stays near.
  private static let stepsAtOnce = 128

  /// Writes c, rounded up to a multiple of `rows`. `steps` is a multiple of 16.
  ///
  /// - Parameters:
  ///   - a: `[step / 16][row][16]`.
  ///   - b: `[column / 16][step][16]`.
  ///   - c: `[column / 16][row][16]`.
  ///   - groups: the groups of columns.
  static func multiply(_ a: Panels, _ b: Panels, into c: Panels, rows count: Int, steps: Int, groups: Int) {
    let length = Vector.scalarCount
    for step in stride(from: 0, to: steps, by: stepsAtOnce) {
      let runs = min(stepsAtOnce, steps - step) / length
      for group in stride(from: 0, to: groups, by: vectors) {
        let (b, isPair) = (b.from(group, step), vectors == 2 && group + 1 < groups)
        for row in stride(from: 0, to: count, by: rows) {
          let left = Left(start: a[step / length, row], rowStride: length, runStride: a.stride, runs: runs)
          (isPair ? sumPair : sumSingle)(left, b, c.from(group, row), step > 0)
        }
      }
    }
  }

  /// Writes c or adds to it. `rows` is a multiple of 16.
  ///
  /// - Parameters:
  ///   - a: `[row / 16][step][16]`.
  ///   - b: `[column / 16][step][16]`.
  ///   - c: `[column / 16][row][16]`.
  ///   - groups: the groups of columns.
  static func multiplyTurned(
    _ a: Panels, _ b: Panels, into c: Panels, rows count: Int, steps: Int, groups: Int, adds: Bool
  ) {
    let length = Vector.scalarCount
    for step in stride(from: 0, to: steps, by: stepsAtOnce) {
      let (runs, adds) = (min(stepsAtOnce, steps - step), adds || step > 0)
      for group in stride(from: 0, to: groups, by: vectors) {
        let (b, isPair) = (b.from(group, step), vectors == 2 && group + 1 < groups)
        for row in stride(from: 0, to: count, by: turnedRows) {
          let left = Left(start: a[row / length, step] + row % length, rowStride: 1, runStride: length, runs: runs)
          (isPair ? sumTurnedPair : sumTurnedSingle)(left, b, c.from(group, row), adds)
        }
      }
    }
  }

  /// The rows of a that a block takes: `runs` runs of neighbouring steps, `runStride` floats from run to run.
  private struct Left {
    let start: Floats
    let rowStride: Int
    let runStride: Int
    let runs: Int
  }

  // The four kinds of blocks: pairs of vectors and single ones, for both layouts of a.

  @inline(never)
  private static func sumPair(_ a: Left, _ b: Panels, _ c: Panels, _ adds: Bool) {
    sum(a, b, into: c, rows: rows, vectors: 2, runLength: 16, adds: adds)
  }

  @inline(never)
  private static func sumSingle(_ a: Left, _ b: Panels, _ c: Panels, _ adds: Bool) {
    sum(a, b, into: c, rows: rows, vectors: 1, runLength: 16, adds: adds)
  }

  @inline(never)
  private static func sumTurnedPair(_ a: Left, _ b: Panels, _ c: Panels, _ adds: Bool) {
    sum(a, b, into: c, rows: turnedRows, vectors: 2, runLength: 1, adds: adds)
  }

  @inline(never)
  private static func sumTurnedSingle(_ a: Left, _ b: Panels, _ c: Panels, _ adds: Bool) {
    sum(a, b, into: c, rows: turnedRows, vectors: 1, runLength: 1, adds: adds)
  }

  /// One block. `rows`, `vectors` and `runLength` are literals where it is called, each time in a function of its own, so
  /// that the loops over them are unrolled and `sums` becomes registers.
  @inline(__always)
  private static func sum(
    _ a: Left, _ b: Panels, into c: Panels, rows: Int, vectors: Int, runLength: Int, adds: Bool
  ) {
    withUnsafeTemporaryAllocation(of: Vector.self, capacity: 16) { sums in
      for i in 0..<rows * vectors { sums[i] = Vector() }
      var (run, line) = (a.start, b.base)
      for _ in 0..<a.runs {
        for step in 0..<runLength {
          for row in 0..<rows {
            let factor = Vector(repeating: run[row * a.rowStride + step])
            for vector in 0..<vectors {
              sums[row * vectors + vector].addProduct(factor, (line + vector * b.stride).vector)
            }
          }
          line += Vector.scalarCount
        }
        run += a.runStride
      }
      for vector in 0..<vectors {
        let target = c.base + vector * c.stride
        if adds {
          for row in 0..<rows { (target + row * 16).vector += sums[row * vectors + vector] }
        } else {
          for row in 0..<rows { (target + row * 16).vector = sums[row * vectors + vector] }
        }
      }
    }
  }
}
