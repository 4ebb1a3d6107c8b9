internal import CMachine
import Foundation
import Primitives

/// The text of a JSON file, read as it is needed and given back behind the reader, so that a file of any size takes a
/// few megabytes.
///
/// The file's bytes keep one address each, in a stretch of address space as long as the file: nothing moves when more is
/// read. Behind `end` stand at least 64 zero bytes, so that blocks may be loaded from any position up to `end` + 1.
final class JSONText {
  private static let chunk = 4 << 20
  private static let padding = 128

  let path: String
  /// The bytes before this position are there.
  private(set) var end = 0
  private let base: UnsafeMutablePointer<UInt8>
  private let size: Int
  /// -1 where all of the text is there.
  private let descriptor: Int32
  private var dropped = 0
  /// How often `NaN` or an infinity was stepped over, by the key that it belongs to.
  private(set) var notNumbers: [String: Int] = [:]
  /// The newlines before `dropped`, and where the line begins that `dropped` is in.
  private var droppedLines = (count: 0, start: 0)

  /// Opens a file; nothing is read yet.
  init(reading path: String, limit: Int) throws {
    let file = try FileContent.open(path, limit: limit)
    (self.path, descriptor, size) = (path, file.descriptor, file.size)
    guard let base = Self.reserve(file.size) else {
      close(file.descriptor)
      throw COCOError(.inputOutput, at: path, "no address space of \(file.size) bytes is left to read it")
    }
    self.base = base
  }

  init(path: String, bytes: [UInt8]) {
    (self.path, descriptor, size) = (path, -1, bytes.count)
    guard let base = Self.reserve(bytes.count) else { bug("no memory for \(bytes.count) bytes") }
    self.base = base
    for (index, byte) in bytes.enumerated() { base[index] = byte }
    end = bytes.count
  }

  deinit {
    munmap(base, size + Self.padding)
    if descriptor >= 0 { close(descriptor) }
  }

  /// Pages that come into being when they are written to.
  private static func reserve(_ size: Int) -> UnsafeMutablePointer<UInt8>? {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    let address = mmap(nil, size + padding, PROT_READ | PROT_WRITE, flags, -1, 0)
    return address == MAP_FAILED ? nil : address?.assumingMemoryBound(to: UInt8.self)
  }

  subscript(position: Int) -> UInt8 { base[position] }

  func bytes(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: all[range]) }

  private var all: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: end) }

  /// Eight bytes, the first in the lowest place.
  func word(at position: Int) -> UInt64 {
    UInt64(littleEndian: UnsafeRawPointer(base + position).loadUnaligned(as: UInt64.self))
  }

  /// Reads on so that 64 bytes from `position` are there, unless the file ends before.
  func fill(from position: Int) throws {
    if position + 64 > end { try readChunk() }
  }

  private func readChunk() throws {
    let target = min(size, end + Self.chunk)
    while descriptor >= 0, end < target {
      let count = pread(descriptor, base + end, target - end, off_t(end))
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw FileContent.failure(path) }
      if count == 0 { return }
      end += count
    }
  }

  /// Gives back the memory of what stands before `position`, now and then.
  func drop(before position: Int) {
    guard descriptor >= 0, position - dropped > 2 * Self.chunk else { return }
    let boundary = position & ~0xffff
    droppedLines = lines(before: boundary)
    madvise(base + dropped, boundary - dropped, Int32(MADV_DONTNEED))
    dropped = boundary
  }

  /// Counts a value that is none in JSON.
  func addNotANumber(key: Range<Int>) {
    notNumbers[String(decoding: bytes(key), as: UTF8.self), default: 0] += 1
  }

  /// Line and column of a position, both from 1, the column in bytes.
  func place(of position: Int) -> String {
    let lines = lines(before: min(position, end))
    return "\(path):\(lines.count + 1):\(position - lines.start + 1)"
  }

  private func lines(before position: Int) -> (count: Int, start: Int) {
    var lines = droppedLines
    for block in stride(from: dropped, to: position, by: 64) {
      let isCut = position - block < 64
      let newlines = machine_newlines(base + block) & (isCut ? 1 << UInt64(position - block) - 1 : .max)
      if newlines == 0 { continue }
      lines = (lines.count + newlines.nonzeroBitCount, block + 64 - newlines.leadingZeroBitCount)
    }
    return lines
  }

  /// Which of the 64 bytes from `position` on end a string or are more than plain ASCII.
  func stringSpecials(at position: Int) -> UInt64 { machine_string_specials(base + position) }

  /// What the 64 bytes from `position` on are, in arrays of numbers.
  func numberCharacters(at position: Int) -> machine_number_characters { machine_number_characters(base + position) }
}
