/// A number that tells arrays apart which differ in any bit, or in the order of their values.
public enum Digest {
  /// Of `count` floats, bit by bit: -0 is not 0. Two arrays that differ in one value have different digests for certain,
  /// others by chance of 2⁻³² the same. The number of threads makes no difference.
  public static func of(_ values: Floats, _ count: Int, _ workers: Workers) -> UInt64 {
    var parts = [UInt64](repeating: 0, count: (count + Blocks.grain - 1) / Blocks.grain)
    parts.withUnsafeMutableBufferPointer { parts in
      let parts = parts.baseAddress
      workers.run(over: count, grain: Blocks.grain) { range in
        parts![range.lowerBound / Blocks.grain] = block(values + range.lowerBound, range.count)
      }
    }
    return joined(parts, from: UInt64(count))
  }

  /// Of numbers in order.
  public static func joined(_ parts: [UInt64], from start: UInt64 = 0) -> UInt64 {
    parts.reduce(start) { hash, part in
      let mixed = (hash ^ part) &* 0x9e37_79b9_7f4a_7c15
      return mixed ^ mixed >> 32
    }
  }

  /// Sixteen lanes of 32 bits. Each step (exclusive or, multiplication by an odd number, rotation) can be undone, so that
  /// no single difference gets lost.
  private static func block(_ values: Floats, _ count: Int) -> UInt64 {
    var lanes = SIMD16<UInt32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    let whole = count / 16 * 16
    for i in stride(from: 0, to: whole, by: 16) {
      let mixed = (lanes ^ UnsafeRawPointer(values + i).loadUnaligned(as: SIMD16<UInt32>.self)) &* 0x9e37_79b1
      lanes = mixed &<< 13 | mixed &>> 19
    }
    let rest = (whole..<count).map { UInt64(values[$0].bitPattern) }
    return joined((0..<16).map { UInt64(lanes[$0]) } + rest)
  }
}
