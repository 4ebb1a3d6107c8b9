/// Whether numbers are finite.
public enum Magnitude {
  /// Whether none of `count` values is infinite or not a number.
  public static func areFinite(_ values: Floats, _ count: Int, _ workers: Workers) -> Bool {
    Blocks.all(count, workers) { areFinite(values + $0.lowerBound, $0.count) }
  }

  /// One more in an exponent of all ones turns the sign.
  private static func areFinite(_ values: Floats, _ count: Int) -> Bool {
    let (magnitude, one) = (SIMD16<UInt32>(repeating: 0x7fff_ffff), SIMD16<UInt32>(repeating: 0x0080_0000))
    var signs = SIMD16<UInt32>.zero
    let whole = count / 16 * 16
    for i in stride(from: 0, to: whole, by: 16) {
      signs |= (UnsafeRawPointer(values + i).loadUnaligned(as: SIMD16<UInt32>.self) & magnitude) &+ one
    }
    return signs.max() < 1 << 31 && (whole..<count).allSatisfy { values[$0].isFinite }
  }

  /// The bits of the largest magnitude of sixteen values: as whole numbers they are in the order of magnitudes, and what
  /// is not finite stands above.
  @inline(__always)
  static func largest(_ values: Floats) -> UInt32 {
    (UnsafeRawPointer(values).loadUnaligned(as: SIMD16<UInt32>.self) & SIMD16(repeating: 0x7fff_ffff)).max()
  }
}

/// Long arrays in blocks of one size, whatever the number of threads.
enum Blocks {
  static let grain = 1 << 16

  /// Whether `body` is true of every block of 0 ..< count; it is run on all.
  static func all(_ count: Int, _ workers: Workers, _ body: (Range<Int>) -> Bool) -> Bool {
    var answers = [Bool](repeating: true, count: (count + grain - 1) / grain)
    answers.withUnsafeMutableBufferPointer { answers in
      let answers = answers.baseAddress
      workers.run(over: count, grain: grain) { answers![$0.lowerBound / grain] = body($0) }
    }
    return answers.allSatisfy { $0 }
  }
}
