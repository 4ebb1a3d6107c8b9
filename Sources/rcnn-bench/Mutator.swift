import Primitives

/// Damages files as disks, networks and attackers do: bits and bytes, numbers at the edge, stretches that are missing,
/// doubled or moved, and an end that is missing.
struct Mutator {
  private let original: [UInt8]
  private let seed: UInt64

  /// A file of this program has its checksum taken off, which would find all damage.
  init(_ file: [UInt8], seed: UInt64) {
    let isGuarded = file.count > 16 && file[(file.count - 16)..<(file.count - 8)].elementsEqual("rcnn-fnv".utf8)
    (original, self.seed) = (isGuarded ? Array(file.dropLast(16)) : file, seed)
  }

  /// The same number gives the same file.
  func file(_ number: Int) -> [UInt8] {
    var random = KeyedRandom(seed: seed, purpose: .test, item: Int64(number))
    var bytes = original
    // An archive without checksums lets damage through to what reads its entries.
    if random.below(2) == 0 { clearChecksums(&bytes) }
    for _ in 0...random.below(4) where !bytes.isEmpty { damage(&bytes, &random) }
    return bytes
  }

  private func damage(_ bytes: inout [UInt8], _ random: inout KeyedRandom) {
    let place = place(in: bytes, &random)
    let end = min(bytes.count, place + 1 + random.below(1 << random.below(8)))
    switch random.below(10) {
    case 0, 1: bytes[place] ^= 1 << UInt8(random.below(8))
    case 2, 3: bytes[place] = UInt8(random.below(256))
    case 4: bytes[place] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &random) ?? 0
    case 5: overwrite(&bytes, place, &random)
    case 6: bytes.removeSubrange(place..<end)
    case 7: bytes.insert(contentsOf: bytes[place..<end], at: place)
    case 8:
      let moved = Array(bytes[place..<end])
      bytes.insert(contentsOf: moved, at: self.place(in: bytes, &random))
    default:
      if random.below(4) == 0 { bytes.removeSubrange(place...) } else { bytes[place] ^= 0x80 }
    }
  }

  /// Half of all near the beginning or the end, where the structure of most files is.
  private func place(in bytes: [UInt8], _ random: inout KeyedRandom) -> Int {
    let reach = min(bytes.count, 1 << (2 + random.below(16)))
    switch random.below(4) {
    case 0: return bytes.count - 1 - random.below(reach)
    case 1: return random.below(reach)
    default: return random.below(bytes.count)
    }
  }

  private func overwrite(_ bytes: inout [UInt8], _ place: Int, _ random: inout KeyedRandom) {
    let edges: [UInt64] = [
      0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_fffe, 0xffff_ffff, 1 << 32, 1 << 40, 1 << 62, .max >> 1,
      .max,
    ]
    let edge = edges.randomElement(using: &random) ?? 0
    for i in 0..<(1 << random.below(4)) where place + i < bytes.count {
      bytes[place + i] = UInt8(truncatingIfNeeded: edge >> (8 * UInt64(i)))
    }
  }

  /// Zero stands for none, in the records of a zip archive's directory.
  private func clearChecksums(_ bytes: inout [UInt8]) {
    guard bytes.starts(with: [0x50, 0x4b, 3, 4]) else { return }
    var place = bytes.startIndex
    while let found = bytes[place...].firstIndex(of: 0x50), found + 20 <= bytes.count {
      if bytes[found..<found + 4].elementsEqual([0x50, 0x4b, 1, 2]) {
        for i in 16..<20 { bytes[found + i] = 0 }
      }
      place = found + 1
    }
  }
}
