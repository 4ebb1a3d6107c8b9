/// The frame around each message of an event file (TensorFlow's TFRecord): its length as 8 bytes, their checksum as 4, the
/// message, its checksum as 4; all of it little-endian, checksums masked.
package enum TensorRecord {
  package static func framed(_ message: [UInt8]) -> [UInt8] {
    let length = bytes(UInt64(message.count))
    return length + bytes(CRC32C.masked(length)) + message + bytes(CRC32C.masked(message))
  }

  private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
  }
}
