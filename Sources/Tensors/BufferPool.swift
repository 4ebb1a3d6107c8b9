import Foundation
import Kernels
import Primitives

/// The memory of buffers: one range of addresses, of which the lowest part is in use, cut into buffers and joined again.
/// After warm-up it doesn't grow. Where addresses are counted as memory it is several ranges, taken as they are needed. (The first write to a fresh 64 MiB block costs 20 times a write to a kept one.)
///
/// A step's buffers go as they came, so that its free memory joins again, and images of another size find room in it.
/// (Blocks kept by size class add up over all sizes: over nine image sizes they took four times what was in use at a time.)
public final class BufferPool: @unchecked Sendable {
  private let lock = NSLock()
  private let marksFreeMemory: Bool
  private var reserved: [UnsafeMutableRawBufferPointer] = []
  /// The addresses of the last range that were never in use.
  private var fresh = 0..<0
  /// How much was ever in use, in bytes.
  private var held = 0
  private var growths = 0
  /// The parts that are no longer in use, by address; neighbours are joined.
  private var free: [Range<Int>] = []

  private static let granule = 1024

  /// - Parameter marksFreeMemory: fills every buffer with NaN when it is handed out and when it comes back, so that a
  ///   test sees who reads memory before writing it, or after letting it go.
  public init(marksFreeMemory: Bool = false) { self.marksFreeMemory = marksFreeMemory }

  deinit { for range in reserved { LargePages.release(range) } }

  /// How often the pool grew so far.
  public var allocationCount: Int { lock.withLock { growths } }

  /// The bytes that this pool holds, in use or free.
  public var allocatedBytes: Int { lock.withLock { held } }

  /// A block of `count` floats with undefined contents. Ends the program where the machine has no memory for it.
  public func buffer(_ count: Int) -> Buffer {
    let byteCount = (max(count, 1) * MemoryLayout<Float>.stride + Self.granule - 1) / Self.granule * Self.granule
    let range = lock.withLock { take(byteCount) }
    guard let values = Floats(bitPattern: range.lowerBound) else { bug("a buffer at address 0") }
    if marksFreeMemory { values.update(repeating: .nan, count: count) }
    return Buffer(values: values, count: count) { [self] in
      if marksFreeMemory { values.update(repeating: .nan, count: count) }
      lock.withLock { giveBack(range) }
    }
  }

  /// From the smallest free part that has room, at the lowest address.
  private func take(_ byteCount: Int) -> Range<Int> {
    let fitting = free.indices.filter { free[$0].count >= byteCount }
    guard let index = fitting.min(by: { free[$0].count < free[$1].count }) else { return grow(byteCount) }
    let part = free[index].lowerBound..<free[index].lowerBound + byteCount
    if part == free[index] {
      free.remove(at: index)
    } else {
      free[index] = part.upperBound..<free[index].upperBound
    }
    return part
  }

  private func grow(_ byteCount: Int) -> Range<Int> {
    var last = free.firstIndex { $0.upperBound == fresh.lowerBound }
    var start = last.map { free[$0].lowerBound } ?? fresh.lowerBound
    if start + byteCount > fresh.upperBound {
      reserve(byteCount)
      (last, start) = (nil, fresh.lowerBound)
    }
    if let last { free.remove(at: last) }
    let end = start + byteCount
    held += end - fresh.lowerBound
    fresh = end..<fresh.upperBound
    growths += 1
    return start..<end
  }

  /// Takes a further range; what is left of the one before counts as free.
  private func reserve(_ byteCount: Int) {
    guard let range = LargePages.reserve(needed: byteCount, held: held) else {
      outOfMemory(needed: held + byteCount, available: LargePages.available(held: held))
    }
    if !fresh.isEmpty {
      held += fresh.count
      giveBack(fresh)
    }
    reserved.append(range)
    let start = Int(bitPattern: range.baseAddress)
    fresh = start..<start + range.count
  }

  private func giveBack(_ range: Range<Int>) {
    let index = free.firstIndex { $0.lowerBound > range.lowerBound } ?? free.count
    var (first, last, joined) = (index, index, range)
    if index > 0, free[index - 1].upperBound == range.lowerBound {
      (first, joined) = (index - 1, free[index - 1].lowerBound..<joined.upperBound)
    }
    if index < free.count, free[index].lowerBound == range.upperBound {
      (last, joined) = (index + 1, joined.lowerBound..<free[index].upperBound)
    }
    free.replaceSubrange(first..<last, with: [joined])
  }
}
