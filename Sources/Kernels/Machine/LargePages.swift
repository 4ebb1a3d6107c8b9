import Foundation
import Primitives

/// Memory for arrays. Large arrays ask for the system's large pages (2 MiB on x86-64 and arm64), which spare the
/// processor most of its address look-ups and the system 511 of 512 page faults.
public enum LargePages {
  private static let pageSize = 2 << 20

  /// Memory aligned to at least 64 bytes, to be given back with `free`. Its contents are undefined. Ends the program where
  /// there is none.
  static func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
    let isLarge = byteCount >= 2 * pageSize
    var memory: UnsafeMutableRawPointer?
    guard posix_memalign(&memory, isLarge ? pageSize : 64, byteCount) == 0, let memory else {
      outOfMemory(needed: byteCount, available: 0)
    }
    if isLarge { ask(for: memory, byteCount) }
    return memory
  }

  static func free(_ memory: UnsafeMutableRawPointer?) { Foundation.free(memory) }

  /// Addresses that become memory where they are first written, to be given back with `release`: as many as this machine
  /// has memory, or, where addresses are counted as memory (`AddressRoom`), `needed` and a little more.
  ///
  /// - Parameters:
  ///   - needed: the bytes that are wanted at once.
  ///   - held: the bytes that the same pool holds already.
  /// - Returns: nil where the machine, or a limit, hasn't got so many.
  public static func reserve(needed: Int, held: Int) -> UnsafeMutableRawBufferPointer? {
    for wanted in AddressRoom.current.attempts(needed: needed, held: held) {
      let byteCount = (wanted + pageSize - 1) / pageSize * pageSize
      let start = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
      if let start, start != MAP_FAILED {
        ask(for: start, byteCount)
        return UnsafeMutableRawBufferPointer(start: start, count: byteCount)
      }
    }
    return nil
  }

  /// The bytes that a pool which holds `held` could have in all.
  public static func available(held: Int) -> Int { AddressRoom.current.available(held: held) }

  /// Whether a mapping of this size would be given now.
  public static func hasRoom(_ byteCount: Int) -> Bool {
    let start = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let start, start != MAP_FAILED else { return false }
    munmap(start, byteCount)
    return true
  }

  /// Gives back what `reserve` gave.
  public static func release(_ range: UnsafeMutableRawBufferPointer) { munmap(range.baseAddress, range.count) }

  private static func ask(for memory: UnsafeMutableRawPointer, _ byteCount: Int) {
    #if os(Linux)
      madvise(memory, byteCount, MADV_HUGEPAGE)
    #endif
  }
}
