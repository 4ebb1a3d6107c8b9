/// Sums of floats as 64-bit whole numbers of units of 2⁻⁴⁰: whole numbers have the same sum in whatever order they are
/// added, and across processes too.
public enum FixedPoint {
  /// What a whole number of 1 stands for: 9.1e-13.
  public static let unit = 0x1p-40
  /// The largest sum of magnitudes, 4,194,304, that surely fits.
  public static let capacity = 0x1p22

  /// Adds `count` values, each rounded to the nearest unit (ties to even), to `sums`, and zeroes them. What is beyond
  /// `bound` or not finite is not added, and stays.
  ///
  /// - Parameters:
  ///   - values: `[count]`.
  ///   - sums: `[count]`, in units of 2⁻⁴⁰.
  ///   - count: the number of values.
  ///   - bound: the largest magnitude; with n values to each sum at most `capacity` / n.
  ///   - workers: the threads that share them.
  /// - Returns: whether all were added.
  public static func add(
    _ values: Floats, to sums: UnsafeMutablePointer<Int64>, _ count: Int, bound: Float, _ workers: Workers
  ) -> Bool {
    Blocks.all(count, workers) { range in
      add(values + range.lowerBound, to: sums + range.lowerBound, range.count, bound: bound)
    }
  }

  /// Writes `count` sums to `values`, as the nearest floats, and zeroes them.
  public static func move(
    _ sums: UnsafeMutablePointer<Int64>, to values: Floats, _ count: Int, _ workers: Workers
  ) {
    workers.run(over: count, grain: Blocks.grain) { range in
      for i in range {
        values[i] = Float(Double(sums[i]) * unit)
        sums[i] = 0
      }
    }
  }

  /// Sixteen values at a time, where all are so small that a double's own rounding gives the nearest unit: to add
  /// 1.5 · 2⁵² leaves the whole number in the lowest bits.
  private static func add(
    _ values: Floats, to sums: UnsafeMutablePointer<Int64>, _ count: Int, bound: Float
  ) -> Bool {
    let (shift, small) = (0x1.8p52, Float(0x1p11))
    let bits = SIMD8<Int64>(repeating: Int64(bitPattern: shift.bitPattern))
    var areAllAdded = true
    let whole = count / 16 * 16
    for i in stride(from: 0, to: whole, by: 16) {
      guard Magnitude.largest(values + i) < small.bitPattern, small <= bound else {
        for j in i..<i + 16 where !addOne(values + j, to: sums + j, bound: bound) { areAllAdded = false }
        continue
      }
      for j in stride(from: i, to: i + 16, by: 8) {
        let block = SIMD8<Double>(UnsafeRawPointer(values + j).loadUnaligned(as: SIMD8<Float>.self))
        let shifted = block * (1 / unit) + shift
        let target = UnsafeMutableRawPointer(sums + j)
        let sum = target.loadUnaligned(as: SIMD8<Int64>.self) &+ (unsafeBitCast(shifted, to: SIMD8<Int64>.self) &- bits)
        target.storeBytes(of: sum, as: SIMD8<Int64>.self)
      }
      UnsafeMutableRawPointer(values + i).storeBytes(of: SIMD16<Float>.zero, as: SIMD16<Float>.self)
    }
    for i in whole..<count where !addOne(values + i, to: sums + i, bound: bound) { areAllAdded = false }
    return areAllAdded
  }

  private static func addOne(_ value: Floats, to sum: UnsafeMutablePointer<Int64>, bound: Float) -> Bool {
    guard abs(value[0]) <= bound else { return false }
    sum[0] &+= Int64((Double(value[0]) * (1 / unit)).rounded(.toNearestOrEven))
    value[0] = 0
    return true
  }
}
