/// The 64-bit FNV-1a hash (Fowler, Noll, Vo): each step is one-to-one, so that no change within a byte goes unnoticed.
/// Seeds, checksums of checkpoints and the order of collectives rest on its values.
@frozen public struct FNV1a: Sendable {
  /// The hash of all bytes so far.
  public private(set) var value: UInt64

  @inlinable public init() { self.init(value: 0xcbf2_9ce4_8422_2325) }

  @usableFromInline init(value: UInt64) { self.value = value }

  /// Takes further bytes in, in order.
  @inlinable public mutating func add(_ bytes: some Sequence<UInt8>) {
    self = FNV1a(value: bytes.reduce(value) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })
  }

  /// Takes the eight bytes of a number in, the lowest first.
  @inlinable public mutating func add(_ number: UInt64) {
    add(stride(from: 0, to: 64, by: 8).lazy.map { UInt8(truncatingIfNeeded: number >> UInt64($0)) })
  }

  /// The hash of some bytes alone.
  @inlinable public static func hash(of bytes: some Sequence<UInt8>) -> UInt64 {
    var hash = FNV1a()
    hash.add(bytes)
    return hash.value
  }
}
