import Foundation
import Kernels

/// The memory of buffers: chunks from the system that are kept, cut into buffers and joined again. After warm-up nothing is
/// allocated. (The first write to a fresh 64 MiB block costs 20 times a write to a kept one.)
///
/// A step's buffers go as they came, so that its free memory joins into whole chunks again, and images of another
/// size find room in them. (Blocks kept by size class would add up over all sizes: with nine image sizes in turn they took
/// four times what was in use at a time, the chunks 1.06 times.)
public final class BufferPool: @unchecked Sendable {
  private let lock = NSLock()
  private var chunks: [UnsafeMutableRawPointer] = []
  /// By address; neighbours are joined.
  private var free: [FreeRange] = []
  private var allocated = 0

  private struct FreeRange {
    var start: UnsafeMutableRawPointer
    var byteCount: Int
    var end: UnsafeMutableRawPointer { start + byteCount }
  }

  public init() {}

  deinit { for chunk in chunks { chunk.deallocate() } }

  /// How many chunks were taken from the system so far.
  public var allocationCount: Int { lock.withLock { chunks.count } }

  /// The bytes that this pool holds, in use or free.
  public var allocatedBytes: Int { lock.withLock { allocated } }

  /// A block of `count` floats with undefined contents.
  public func buffer(_ count: Int) -> Buffer {
    let byteCount = Self.rounded(max(count, 1) * MemoryLayout<Float>.stride, to: Self.granule)
    let memory = lock.withLock { take(byteCount) }
    return Buffer(values: memory.assumingMemoryBound(to: Float.self), count: count) { [self] in
      lock.withLock { giveBack(FreeRange(start: memory, byteCount: byteCount)) }
    }
  }

  private static let granule = 1024
  private static let leastChunk = 64 << 20

  private static func rounded(_ count: Int, to unit: Int) -> Int { (count + unit - 1) / unit * unit }

  /// From the smallest free range that has room, at the lowest address.
  private func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let fitting = free.indices.filter { free[$0].byteCount >= byteCount }
    let index = fitting.min { free[$0].byteCount < free[$1].byteCount } ?? addChunk(byteCount)
    let start = free[index].start
    if free[index].byteCount == byteCount {
      free.remove(at: index)
    } else {
      free[index] = FreeRange(start: start + byteCount, byteCount: free[index].byteCount - byteCount)
    }
    return start
  }

  /// - Returns: its index among the free ranges.
  private func addChunk(_ byteCount: Int) -> Int {
    let size = Self.rounded(max(byteCount, Self.leastChunk), to: 2 << 20)
    let chunk = LargePages.allocate(byteCount: size)
    chunks.append(chunk)
    allocated += size
    let index = indexAfter(chunk)
    free.insert(FreeRange(start: chunk, byteCount: size), at: index)
    return index
  }

  private func giveBack(_ range: FreeRange) {
    var index = indexAfter(range.start)
    free.insert(range, at: index)
    if index > 0, free[index - 1].end == range.start {
      free[index - 1].byteCount += range.byteCount
      free.remove(at: index)
      index -= 1
    }
    if index + 1 < free.count, free[index].end == free[index + 1].start {
      free[index].byteCount += free[index + 1].byteCount
      free.remove(at: index + 1)
    }
  }

  /// Where a range that starts here stands among the free ones.
  private func indexAfter(_ start: UnsafeMutableRawPointer) -> Int { free.firstIndex { $0.start > start } ?? free.count }
}
