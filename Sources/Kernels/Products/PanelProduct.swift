internal import CMachine

/// Products of matrices that lie in memory in the order in which they are read:
///
///     c[row, column] = Σ_step a[row, step] · b[step, column]
///
/// A block of c stays in registers over many steps: each step multiplies one vector or two of b with some rows of a. All
/// matrices lie in groups of 16 numbers, `[group][line][16]`: b and c with columns in the groups and steps or rows as
/// lines; a in either way. Or a and c lie row by row (`multiplyRows`).
///
/// The bits of a row of c depend on that row of a and on b alone, not on the other rows or on how many there are.
enum PanelProduct {
  /// With 32 registers of 16 numbers (AVX-512), two vectors of b serve each number of a; else one, in 2 or 4 registers.
  private static var hasWideRegisters: Bool { machine_register_floats >= 16 }
  private static var vectors: Int { hasWideRegisters ? 2 : 1 }

  /// The rows of a block when a lies as `[step / 16][row][16]`, which needs room for a multiple of them.
  static var rows: Int { hasWideRegisters ? 8 : 6 }
  /// The rows of a block when a lies as `[row / 16][step][16]`.
  fileprivate static var turnedRows: Int { hasWideRegisters ? 8 : 4 }

  /// A matrix `[group][line][16]`: `stride` floats from group to group.
  struct Panels {
    let base: Floats
    let stride: Int
    /// The floats from line to line, which only the turned product's a may have otherwise.
    var lineStride = Vector.scalarCount

    subscript(group: Int, line: Int) -> Floats { base + group * stride + line * lineStride }

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
          (isPair ? Block<Many, Two, Sixteen>.sum : Block<Many, One, Sixteen>.sum)(
            left, b, Target(c.from(group, row)), step > 0)
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
          let left = Left(
            start: a[row / length, step] + row % length, rowStride: 1, runStride: a.lineStride, runs: runs)
          (isPair ? Block<Turned, Two, One>.sum : Block<Turned, One, One>.sum)(
            left, b, Target(c.from(group, row)), adds)
        }
      }
    }
  }

  /// Writes c or adds to it, where a and c lie row by row; any number of rows.
  ///
  /// - Parameters:
  ///   - a: `[row][step]`, rows `aStride` floats apart.
  ///   - b: `[column / 16][step][16]`.
  ///   - c: `[row][column]`, rows `cStride` floats apart.
  ///   - groups: the groups of 16 columns.
  static func multiplyRows(
    _ a: Floats, stride aStride: Int, _ b: Panels, into c: Floats, stride cStride: Int, rows count: Int, steps: Int,
    groups: Int, adds: Bool
  ) {
    let length = Vector.scalarCount
    let runLength = steps % length == 0 ? length : 1
    for step in stride(from: 0, to: steps, by: stepsAtOnce) {
      let (runs, adds) = (min(stepsAtOnce, steps - step) / runLength, adds || step > 0)
      for group in stride(from: 0, to: groups, by: vectors) {
        let isPair = vectors == 2 && group + 1 < groups
        let sums = RowSums(isPair: isPair, hasRuns: runLength > 1)
        let b = b.from(group, step)
        var row = 0
        while row < count {
          let isBlock = row + rows <= count
          let left = Left(start: a + row * aStride + step, rowStride: aStride, runStride: runLength, runs: runs)
          let target = Target(base: c + row * cStride + group * length, rowStride: cStride, vectorStride: length)
          (isBlock ? sums.block : sums.row)(left, b, target, adds)
          row += isBlock ? rows : 1
        }
      }
    }
  }

  /// Where a block of c goes.
  private struct Target {
    let base: Floats
    let rowStride: Int
    let vectorStride: Int

    init(base: Floats, rowStride: Int, vectorStride: Int) {
      (self.base, self.rowStride, self.vectorStride) = (base, rowStride, vectorStride)
    }

    init(_ panels: Panels) { self.init(base: panels.base, rowStride: Vector.scalarCount, vectorStride: panels.stride) }
  }

  private typealias Sum = (_ a: Left, _ b: Panels, _ c: Target, _ adds: Bool) -> Void

  /// For rows that lie one by one: blocks, and the rows that are left over.
  private struct RowSums {
    let block: Sum
    let row: Sum

    /// - Parameter hasRuns: the steps come in runs of 16.
    init(isPair: Bool, hasRuns: Bool) {
      switch (isPair, hasRuns) {
      case (true, true): (block, row) = (Block<Many, Two, Sixteen>.sum, Block<One, Two, Sixteen>.sum)
      case (false, true): (block, row) = (Block<Many, One, Sixteen>.sum, Block<One, One, Sixteen>.sum)
      case (true, false): (block, row) = (Block<Many, Two, One>.sum, Block<One, Two, One>.sum)
      case (false, false): (block, row) = (Block<Many, One, One>.sum, Block<One, One, One>.sum)
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

  /// A block of `Rows` rows and `Vectors` vectors of c, where the steps of a come in runs of `Run`. The compiler makes one
  /// function of each kind that is used, in which these are literals, so that the loops over them are unrolled and `sums`
  /// becomes registers.
  private enum Block<Rows: Size, Vectors: Size, Run: Size> {
    @inline(never)
    static func sum(_ a: Left, _ b: Panels, _ c: Target, _ adds: Bool) {
      let (rows, vectors, runLength) = (Rows.value, Vectors.value, Run.value)
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
          let target = c.base + vector * c.vectorStride
          if adds {
            for row in 0..<rows { (target + row * c.rowStride).vector += sums[row * vectors + vector] }
          } else {
            for row in 0..<rows { (target + row * c.rowStride).vector = sums[row * vectors + vector] }
          }
        }
      }
    }
  }
}

/// A number that the compiler knows.
private protocol Size { static var value: Int { get } }
private enum One: Size { @inline(__always) static var value: Int { 1 } }
private enum Two: Size { @inline(__always) static var value: Int { 2 } }
private enum Sixteen: Size { @inline(__always) static var value: Int { 16 } }
private enum Many: Size { @inline(__always) static var value: Int { PanelProduct.rows } }
private enum Turned: Size { @inline(__always) static var value: Int { PanelProduct.turnedRows } }
