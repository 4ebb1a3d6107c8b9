import Foundation

/// A grey PNG of 16 bits, not compressed.
enum DeepPicture {
  static func png(width: Int, height: Int, value: (_ x: Int, _ y: Int) -> Int) -> Data {
    var rows: [UInt8] = []
    for y in 0..<height {
      rows.append(0)
      for x in 0..<width { rows += bytes(value(x, y), 2) }
    }
    let (low, high) = (UInt8(rows.count & 255), UInt8(rows.count >> 8))
    let (a, b) = rows.reduce((1, 0)) { sums, byte in
      let a = (sums.0 + Int(byte)) % 65521
      return (a, (sums.1 + a) % 65521)
    }
    let content = [0x78, 1, 1, low, high, ~low, ~high] + rows + bytes(b << 16 | a, 4)
    return Data([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
      + chunk("IHDR", bytes(width, 4) + bytes(height, 4) + [16, 0, 0, 0, 0]) + chunk("IDAT", content)
      + chunk("IEND", [])
  }

  private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    let checked = Array(name.utf8) + content
    var check: UInt32 = ~0
    for byte in checked {
      check ^= UInt32(byte)
      for _ in 0..<8 { check = (check >> 1) ^ (check & 1 == 1 ? 0xedb8_8320 : 0) }
    }
    return bytes(content.count, 4) + checked + bytes(Int(~check), 4)
  }

  /// The last first.
  private static func bytes(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
