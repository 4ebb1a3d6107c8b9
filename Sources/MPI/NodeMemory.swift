internal import CMPI
import Foundation

/// Bytes that the first rank of a node has given to all of its ranks: one copy in a window of shared memory, or, where
/// there is no room for that, a copy each.
///
/// A window stays until the end of the process: to free one is itself a collective.
public final class NodeMemory {
  /// Aligned to 64 bytes.
  public let bytes: UnsafeRawBufferPointer
  /// A sentence on why each rank holds a copy; nil where all share one.
  public let notice: String?
  private let copy: UnsafeMutableRawBufferPointer?

  /// Collective over the ranks of a node.
  init(_ node: Communicator, _ source: UnsafeRawBufferPointer, usesWindow: Bool) throws {
    var plan: [UInt64] = [0, 0, 0]
    if node.rank == 0 {
      let room = usesWindow ? Self.roomForWindows : 0
      // One page more, and what the library keeps beside the bytes.
      plan = [UInt64(source.count), room, room > source.count + (1 << 20) ? 1 : 0]
    }
    try plan.withUnsafeMutableBufferPointer { try node.send($0) }
    let count = Int(plan[0])
    guard plan[2] == 1 else {
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 64)
      if node.rank == 0 { copy.copyMemory(from: source) }
      try node.send(copy.bindMemory(to: UInt8.self))
      (self.copy, bytes) = (copy, UnsafeRawBufferPointer(copy))
      notice =
        "/dev/shm has \(plan[1] >> 20) MiB of room, \(count >> 20) are needed to share data: "
        + "each of the \(node.size) ranks of this node holds a copy"
      return
    }
    (copy, notice) = (nil, nil)
    bytes = try Self.window(node, source, count: count)
  }

  deinit { copy?.deallocate() }

  /// The first rank of the node allocates and fills the window, the others find out where it is in their own addresses.
  private static func window(
    _ node: Communicator, _ source: UnsafeRawBufferPointer, count: Int
  ) throws -> UnsafeRawBufferPointer {
    var base: UnsafeMutableRawPointer?
    var window: MPI_Win? = cmpi_win_null()
    // Alignment is promised for none but the basic types.
    let size = MPI_Aint(node.rank == 0 ? count + 64 : 0)
    try check(
      MPI_Win_allocate_shared(size, 1, cmpi_info_null(), node.handle, &base, &window), "MPI_Win_allocate_shared")
    try check(MPI_Win_set_errhandler(window, cmpi_errors_return()), "MPI_Win_set_errhandler")
    var (whole, unit) = (MPI_Aint(0), Int32(0))
    try check(MPI_Win_shared_query(window, 0, &whole, &unit, &base), "MPI_Win_shared_query")
    guard let base else { throw MPIError(function: "MPI_Win_shared_query", text: "the window has no address") }
    try check(MPI_Win_fence(0, window), "MPI_Win_fence")
    // The offset in the segment is the same for all ranks, and so is the alignment within a page.
    let start = base.alignedUp(toMultipleOf: 64)
    if node.rank == 0, let from = source.baseAddress { start.copyMemory(from: from, byteCount: count) }
    try check(MPI_Win_fence(0, window), "MPI_Win_fence")
    return UnsafeRawBufferPointer(start: start, count: count)
  }

  /// Open MPI makes windows in /dev/shm; without enough room there the first rank would return and the others wait.
  private static var roomForWindows: UInt64 {
    var status = statvfs()
    guard statvfs("/dev/shm", &status) == 0 else { return .max }
    return UInt64(status.f_bavail) * UInt64(status.f_frsize)
  }
}
