import Foundation
import Synchronization

/// Where the ranks of a machine note what they are at, in memory that all of them see: a few words for each rank of the
/// world. To read and to write it are plain loads and stores; nothing here waits for anybody.
///
/// Ranks of other machines have their words too, as far as they were heard of.
final class ProgressPage: @unchecked Sendable {
  /// The words of a rank.
  enum Field: Int, CaseIterable {
    case step, place, number, ticks
    /// When any of these changed last, in nanoseconds of this machine's clock.
    case since
    /// When this rank's watchdog was awake last.
    case heartbeat
    /// When the rank was last heard of, for those of other machines.
    case heard
    /// 1 for a rank that writes here itself.
    case isHere
  }

  /// Words that the ranks of a machine share.
  enum Shared: Int, CaseIterable {
    /// The rank that speaks for all at the end, and one.
    case speaker
    case hasSpoken
    /// The stall that was warned of, by the time of its beginning.
    case warned
  }

  private let words: UnsafeMutablePointer<Atomic<UInt64>>
  private static let width = 8
  /// Whether other processes see it.
  let isShared: Bool

  /// - Parameter name: of the file in memory that all ranks of a machine open, and remove when all have it; nil for memory
  ///   of this process's own.
  init(ranks: Int, name: String?) {
    let bytes = (ranks + 1) * Self.width * MemoryLayout<UInt64>.stride
    let shared = name.flatMap { Self.map($0, bytes: bytes) }
    isShared = shared != nil
    let memory = shared ?? Self.ownMemory(bytes)
    words = memory.bindMemory(to: Atomic<UInt64>.self, capacity: bytes / MemoryLayout<UInt64>.stride)
  }

  static func path(_ name: String) -> String { "/dev/shm/rcnn-train.\(name)" }

  private static func map(_ name: String, bytes: Int) -> UnsafeMutableRawPointer? {
    let file = open(path(name), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { return nil }
    defer { close(file) }
    // Room that is not there would show in a signal at the first store.
    guard posix_fallocate(file, 0, off_t(bytes)) == 0 else { return nil }
    let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
    return memory == MAP_FAILED ? nil : memory
  }

  /// It stays until the end of the process, as the watchdog does.
  private static func ownMemory(_ bytes: Int) -> UnsafeMutableRawPointer {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    return memory
  }

  func load(_ rank: Int, _ field: Field) -> UInt64 {
    words[(rank + 1) * Self.width + field.rawValue].load(ordering: .relaxed)
  }

  func store(_ value: UInt64, _ rank: Int, _ field: Field) {
    words[(rank + 1) * Self.width + field.rawValue].store(value, ordering: .relaxed)
  }

  func addTick(_ rank: Int) {
    words[(rank + 1) * Self.width + Field.ticks.rawValue].wrappingAdd(1, ordering: .relaxed)
  }

  func load(_ shared: Shared) -> UInt64 { words[shared.rawValue].load(ordering: .acquiring) }
  func store(_ value: UInt64, _ shared: Shared) { words[shared.rawValue].store(value, ordering: .releasing) }

  /// Whether this process is the one that changed a shared word from `old` to `new`.
  func exchange(_ shared: Shared, _ old: UInt64, _ new: UInt64) -> Bool {
    words[shared.rawValue].compareExchange(expected: old, desired: new, ordering: .acquiringAndReleasing).exchanged
  }

  /// Nanoseconds of the machine's own clock, the same in all of its processes.
  static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
