/// CRC-32C (Castagnoli), by which records of TensorBoard's files are checked: the polynomial 0x1EDC6F41, its bits turned
/// round, from all ones to all ones (RFC 3720, B.4).
package enum CRC32C {
  /// What the eight bits of a byte do to the remainder.
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { rest, _ in rest & 1 == 1 ? rest >> 1 ^ 0x82f6_3b78 : rest >> 1 }
  }

  package static func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~0) { rest, byte in rest >> 8 ^ table[Int(UInt8(truncatingIfNeeded: rest) ^ byte)] }
  }

  /// As it stands in a file: turned and moved, since the checksum of what holds its own checksum says little (the format's
  /// own rule).
  package static func masked(_ bytes: [UInt8]) -> UInt32 {
    let checksum = checksum(bytes)
    return (checksum >> 15 | checksum << 17) &+ 0xa282_ead8
  }
}
