/// The digest that PyTorch's and mmdetection's weight files bear in their names (FIPS 180-4).
enum SHA256 {
  /// In hexadecimal.
  static func digest(_ bytes: [UInt8]) -> String {
    var state = squareRoots
    let whole = bytes.count / 64 * 64
    for start in stride(from: 0, to: whole, by: 64) { add(bytes[start..<start + 64], to: &state) }
    var rest = Array(bytes[whole...]) + [0x80]
    rest += [UInt8](repeating: 0, count: (120 - rest.count % 64) % 64)
    rest += (0..<8).map { UInt8(truncatingIfNeeded: (8 * UInt64(bytes.count)) >> (56 - 8 * UInt64($0))) }
    for start in stride(from: 0, to: rest.count, by: 64) { add(rest[start..<start + 64], to: &state) }
    return state.indices.map { i in
      let digits = String(state[i], radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  private static func add(_ block: ArraySlice<UInt8>, to state: inout SIMD8<UInt32>) {
    var words = [UInt32](repeating: 0, count: 64)
    for (i, byte) in block.enumerated() { words[i / 4] = words[i / 4] << 8 | UInt32(byte) }
    for i in 16..<64 {
      let (early, late) = (words[i - 15], words[i - 2])
      words[i] =
        words[i - 16] &+ words[i - 7] &+ (turned(early, 7) ^ turned(early, 18) ^ early >> 3)
        &+ (turned(late, 17) ^ turned(late, 19) ^ late >> 10)
    }
    var s = state
    for i in 0..<64 {
      let choice = (s[4] & s[5]) ^ (~s[4] & s[6])
      let first =
        s[7] &+ (turned(s[4], 6) ^ turned(s[4], 11) ^ turned(s[4], 25)) &+ choice &+ cubeRoots[i] &+ words[i]
      let majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2])
      let second = (turned(s[0], 2) ^ turned(s[0], 13) ^ turned(s[0], 22)) &+ majority
      s = SIMD8(first &+ second, s[0], s[1], s[2], s[3] &+ first, s[4], s[5], s[6])
    }
    state &+= s
  }

  private static func turned(_ word: UInt32, _ bits: UInt32) -> UInt32 { word >> bits | word << (32 - bits) }

  // The first 32 bits of the fractions of the roots of the first primes.
  private static let primes = (2..<312).filter { number in
    !(2..<number).prefix { $0 * $0 <= number }.contains { number % $0 == 0 }
  }
  private static let squareRoots = SIMD8(primes.prefix(8).map { fraction(Double($0).squareRoot()) })
  private static let cubeRoots = primes.map { fraction(cubeRoot(Double($0))) }

  private static func fraction(_ root: Double) -> UInt32 { UInt32((root - root.rounded(.down)) * 0x1p32) }

  private static func cubeRoot(_ number: Double) -> Double {
    var root = number / 2
    for _ in 0..<60 { root -= (root * root * root - number) / (3 * root * root) }
    return root
  }
}
