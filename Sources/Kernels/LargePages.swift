import Foundation

/// Memory for arrays. Large arrays ask for the kernel's large pages (2 MiB on x86-64 and arm64), which spare the
/// processor most of its address look-ups and the system 511 of 512 page faults.
public enum LargePages {
  private static let pageSize = 2 << 20

  /// Memory aligned to at least 64 bytes, to be given back with `deallocate`. Its contents are undefined.
  public static func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
    let isLarge = byteCount >= 2 * pageSize
    let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: isLarge ? pageSize : 64)
    #if os(Linux)
      if isLarge { madvise(memory, byteCount, MADV_HUGEPAGE) }
    #endif
    return memory
  }
}
