import Foundation
import Kernels

/// A block of floats from a pool, given back when the last reference goes.
public final class Buffer {
  /// 64-byte aligned; contents undefined when new.
  public let values: Floats
  public let count: Int
  private let release: () -> Void

  init(values: Floats, count: Int, release: @escaping () -> Void) {
    (self.values, self.count, self.release) = (values, count, release)
  }

  deinit { release() }

  /// Sets every value.
  public func fill(_ value: Float) { values.update(repeating: value, count: count) }
}

/// Keeps freed blocks by size class: after warm-up nothing is allocated, even with varying image sizes. (The first
/// write to a fresh 64 MiB block costs 20 times a write to a kept one.)
public final class BufferPool: @unchecked Sendable {
  private let lock = NSLock()
  private var free: [Int: [Floats]] = [:]
  private var allocated = 0
  private var allocations = 0

  public init() {}

  deinit { for block in free.values.joined() { UnsafeMutableRawPointer(block).deallocate() } }

  /// How many blocks were taken from the system so far.
  public var allocationCount: Int { lock.withLock { allocations } }

  /// The bytes that this pool holds, in use or free.
  public var allocatedBytes: Int { lock.withLock { allocated * MemoryLayout<Float>.stride } }

  /// A block of `count` floats with undefined contents.
  public func buffer(_ count: Int) -> Buffer {
    let size = Self.sizeClass(count)
    let values = lock.withLock { free[size]?.popLast() } ?? allocate(size)
    return Buffer(values: values, count: count) { [self] in
      lock.withLock { free[size, default: []].append(values) }
    }
  }

  private func allocate(_ size: Int) -> Floats {
    lock.withLock {
      allocations += 1
      allocated += size
    }
    return LargePages.allocate(byteCount: size * MemoryLayout<Float>.stride).assumingMemoryBound(to: Float.self)
  }

  /// The next of four steps between powers of two, at least 64: at most a quarter is wasted.
  static func sizeClass(_ count: Int) -> Int {
    guard count > 64 else { return 64 }
    let step = max(64, 1 << (Int.bitWidth - 1 - (count - 1).leadingZeroBitCount - 2))
    return (count + step - 1) / step * step
  }
}
