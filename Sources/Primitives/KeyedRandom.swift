import Foundation

/// A counter-based random number generator (Philox 4×32-10; Salmon et al., "Parallel random numbers: as easy as
/// 1, 2, 3", SC 2011). Its numbers are a pure function of its key, so that whoever draws with the same key gets
/// the same numbers: on any rank, on any thread, and after any resume. Nothing about it needs to be saved.
public struct KeyedRandom: RandomNumberGenerator, Sendable {
  /// What the numbers are for. Two purposes never share numbers.
  public enum Purpose: UInt32, Sendable {
    case initialization, shuffle, flip, scale, rpnSampler, rcnnSampler, shapes, test, replacement
  }

  private let key: (UInt32, UInt32)
  private let stream: (UInt32, UInt32)
  private var block: UInt64 = 0
  /// The second half of the last block, until it is used.
  private var spare: UInt64?

  /// - Parameters:
  ///   - seed: the seed of the run.
  ///   - purpose: what the numbers are for.
  ///   - epoch: the 0-based epoch, or any number that separates repetitions.
  ///   - item: what is drawn for: an image id, the hash of a parameter's name, …
  ///   - draw: 0, or a number below 2³² that separates draws for the same.
  ///   - stage: the same for the stages of a cascade.
  public init(seed: UInt64, purpose: Purpose, epoch: Int = 0, item: Int64 = 0, draw: Int = 0, stage: Int = 0) {
    var mixed = Self.mix(seed ^ Self.mix(UInt64(truncatingIfNeeded: epoch) << 8 | UInt64(purpose.rawValue)))
    if draw != 0 || stage != 0 {
      mixed = Self.mix(mixed ^ Self.mix(UInt64(bitPattern: Int64(draw) ^ Int64(stage) << 32)))
    }
    let item = UInt64(bitPattern: item)
    key = (UInt32(truncatingIfNeeded: mixed), UInt32(truncatingIfNeeded: mixed >> 32))
    stream = (UInt32(truncatingIfNeeded: item), UInt32(truncatingIfNeeded: item >> 32))
  }

  public mutating func next() -> UInt64 {
    if let number = spare {
      spare = nil
      return number
    }
    let block = nextBlock()
    spare = block.second
    return block.first
  }

  /// Uniform in [0, 1) with 24 bits.
  public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// Normal with mean 0 and deviation 1 (Box–Muller).
  public mutating func normal() -> Float {
    let radius = (-2 * log(1 - Double(uniform()))).squareRoot()
    return Float(radius * cos(2 * .pi * Double(uniform())))
  }

  /// Uniform in 0 ..< bound.
  public mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

  /// A random order of 0 ..< count (Fisher–Yates).
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    shuffle(&order)
    return order
  }

  public mutating func shuffle<Element>(_ items: inout [Element]) {
    for i in stride(from: items.count - 1, to: 0, by: -1) { items.swapAt(i, below(i + 1)) }
  }

  /// The 64-bit FNV-1a hash of a text, for use as `item`.
  public static func hash(_ text: String) -> Int64 { Int64(bitPattern: FNV1a.hash(of: text.utf8)) }

  /// SplitMix64's finaliser: a random-looking number that is a function of `value`.
  public static func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  private mutating func nextBlock() -> (first: UInt64, second: UInt64) {
    var counter = (UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32), stream.0, stream.1)
    var (k0, k1) = key
    for _ in 0..<10 {
      let a = counter.0.multipliedFullWidth(by: 0xd251_1f53)
      let b = counter.2.multipliedFullWidth(by: 0xcd9e_8d57)
      counter = (b.high ^ counter.1 ^ k0, b.low, a.high ^ counter.3 ^ k1, a.low)
      k0 &+= 0x9e37_79b9
      k1 &+= 0xbb67_ae85
    }
    block += 1
    return (UInt64(counter.0) << 32 | UInt64(counter.1), UInt64(counter.2) << 32 | UInt64(counter.3))
  }
}
