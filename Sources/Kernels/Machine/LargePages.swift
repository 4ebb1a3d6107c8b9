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
  /// has memory, or fewer where a limit (`ulimit -v`) forbids that. Ends the program where there are none.
  public static func reserve() -> UnsafeMutableRawBufferPointer {
    var byteCount = Int(clamping: ProcessInfo.processInfo.physicalMemory) / pageSize * pageSize
    while byteCount >= pageSize {
      let start = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
      if let start, start != MAP_FAILED {
        ask(for: start, byteCount)
        return UnsafeMutableRawBufferPointer(start: start, count: byteCount)
      }
      byteCount = byteCount / 2 / pageSize * pageSize
    }
    outOfMemory(needed: pageSize, available: 0)
  }

  /// Gives back what `reserve` gave.
  public static func release(_ range: UnsafeMutableRawBufferPointer) { munmap(range.baseAddress, range.count) }

  private static func ask(for memory: UnsafeMutableRawPointer, _ byteCount: Int) {
    #if os(Linux)
      madvise(memory, byteCount, MADV_HUGEPAGE)
    #endif
  }
}
