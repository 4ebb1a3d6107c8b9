internal import CMPI

/// A stretch of floats to be sent or reduced where it lies: a slice of an arena.
public typealias FloatSlice = UnsafeMutableBufferPointer<Float>
/// The same of whole numbers. Their sums wrap around.
public typealias IntegerSlice = UnsafeMutableBufferPointer<Int64>

/// A group of ranks and their collectives. A collective must be called by all ranks, in one order; each one returns
/// when this rank's part is done. Messages beyond MPI's 32-bit counts go out in parts.
///
/// Communicators live until the end of the process: to free one is itself a collective.
public final class Communicator {
  let handle: MPI_Comm
  public let rank: Int
  public let size: Int
  /// The most elements in one MPI call.
  private let partCount: Int

  /// Errors come back as codes instead of ending the process, so that they can be reported with rank and step.
  private init(_ handle: MPI_Comm, partCount: Int) throws {
    var (rank, size) = (Int32(0), Int32(0))
    try check(MPI_Comm_set_errhandler(handle, cmpi_errors_return()), "MPI_Comm_set_errhandler")
    try check(MPI_Comm_rank(handle, &rank), "MPI_Comm_rank")
    try check(MPI_Comm_size(handle, &size), "MPI_Comm_size")
    (self.handle, self.rank, self.size, self.partCount) = (handle, Int(rank), Int(size), partCount)
  }

  /// All ranks, once MPI is up.
  package static func ofAllRanks(partCount: Int = 1 << 30) throws -> Communicator {
    try Communicator(cmpi_comm_world(), partCount: partCount)
  }

  /// The same ranks with messages of their own: a collective here never meets one of the original. Collective.
  public func duplicate() throws -> Communicator {
    var copy: MPI_Comm? = cmpi_comm_null()
    try check(MPI_Comm_dup(handle, &copy), "MPI_Comm_dup")
    return try Communicator(copy!, partCount: partCount)
  }

  /// The ranks that share this node's memory. Collective.
  public func ranksOfNode() throws -> Communicator {
    var node: MPI_Comm? = cmpi_comm_null()
    let code = MPI_Comm_split_type(handle, cmpi_comm_type_shared(), Int32(rank), cmpi_info_null(), &node)
    try check(code, "MPI_Comm_split_type")
    return try Communicator(node!, partCount: partCount)
  }

  public func barrier() throws { try check(MPI_Barrier(handle), "MPI_Barrier") }

  public func sum(_ slice: FloatSlice) throws { try reduce(slice, cmpi_sum()) }
  public func sum(_ values: inout [Double]) throws { try reduce(&values, cmpi_sum()) }
  public func sum(_ values: inout [UInt64]) throws { try reduce(&values, cmpi_sum()) }
  public func maximum(_ slice: FloatSlice) throws { try reduce(slice, cmpi_max()) }
  public func maximum(_ values: inout [Double]) throws { try reduce(&values, cmpi_max()) }
  public func maximum(_ values: inout [UInt64]) throws { try reduce(&values, cmpi_max()) }

  /// Starts to sum `slice` over all ranks, in place. It must stay where it is, untouched, until the request is done.
  ///
  /// A slice of fewer numbers than ranks is summed at once: Rabenseifner's algorithm can't cut it, and the ring that
  /// Open MPI takes instead adds wrongly in place before release 4.1.2.
  public func startSum(_ slice: FloatSlice) throws -> Request { try start(slice) }
  public func startSum(_ slice: IntegerSlice) throws -> Request { try start(slice) }

  private func start<Element: MPIElement>(_ slice: UnsafeMutableBufferPointer<Element>) throws -> Request {
    guard slice.count >= size else {
      try reduce(slice, cmpi_sum())
      return Request([])
    }
    return try Request(
      parts(slice.count).map { part in
        var request: MPI_Request? = cmpi_request_null()
        let start = slice.baseAddress! + part.lowerBound
        let code = MPI_Iallreduce(
          cmpi_in_place(), start, Int32(part.count), Element.datatype, cmpi_sum(), handle, &request)
        try check(code, "MPI_Iallreduce")
        return request
      })
  }

  /// Rank 0's floats on all ranks.
  public func broadcast(_ slice: FloatSlice) throws { try send(slice) }

  /// Rank 0's bytes on all ranks; the others need not know how many there are.
  public func broadcast(_ bytes: inout [UInt8]) throws {
    var count = [UInt64(bytes.count)]
    try count.withUnsafeMutableBufferPointer { try send($0) }
    if rank != 0 { bytes = [UInt8](repeating: 0, count: Int(count[0])) }
    try bytes.withUnsafeMutableBufferPointer { try send($0) }
  }

  /// On rank 0 what each rank gave, which may differ in length; on other ranks nothing.
  public func gather(_ bytes: [UInt8]) throws -> [[UInt8]] { try gathered(bytes, filler: 0) }

  private func parts(_ count: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: partCount).map { $0..<min($0 + partCount, count) }
  }

  private func reduce<Element: MPIElement>(_ values: inout [Element], _ operation: MPI_Op) throws {
    try values.withUnsafeMutableBufferPointer { try reduce($0, operation) }
  }

  private func reduce<Element: MPIElement>(
    _ values: UnsafeMutableBufferPointer<Element>, _ operation: MPI_Op
  ) throws {
    for part in parts(values.count) {
      let start = values.baseAddress! + part.lowerBound
      let code = MPI_Allreduce(cmpi_in_place(), start, Int32(part.count), Element.datatype, operation, handle)
      try check(code, "MPI_Allreduce")
    }
  }

  /// Rank 0's values on all ranks.
  func send<Element: MPIElement>(_ values: UnsafeMutableBufferPointer<Element>) throws {
    for part in parts(values.count) {
      let start = values.baseAddress! + part.lowerBound
      try check(MPI_Bcast(start, Int32(part.count), Element.datatype, 0, handle), "MPI_Bcast")
    }
  }

  /// In rounds, so that neither a count nor a displacement exceeds what MPI can take.
  private func gathered<Element: MPIElement>(_ values: [Element], filler: Element) throws -> [[Element]] {
    var counts = [UInt64](repeating: 0, count: size)
    counts[rank] = UInt64(values.count)
    try sum(&counts)
    let limit = max(1, partCount / size)
    var result = [[Element]](repeating: [], count: rank == 0 ? size : 0)
    for start in stride(from: 0, to: Int(counts.max()!), by: limit) {
      let sizes = counts.map { Int32(min(limit, max(0, Int($0) - start))) }
      let places = sizes.indices.map { sizes[..<$0].reduce(0, +) }
      var received = [Element](repeating: filler, count: rank == 0 ? Int(sizes.reduce(0, +)) : 0)
      let own = Array(values.dropFirst(start).prefix(limit))
      let code = MPI_Gatherv(
        own, Int32(own.count), Element.datatype, &received, sizes, places, Element.datatype, 0, handle)
      try check(code, "MPI_Gatherv")
      for other in result.indices {
        result[other] += received[Int(places[other])..<Int(places[other] + sizes[other])]
      }
    }
    return result
  }
}

/// A type that MPI knows.
protocol MPIElement: BitwiseCopyable { static var datatype: MPI_Datatype { get } }
extension Float: MPIElement { static var datatype: MPI_Datatype { cmpi_float() } }
extension Double: MPIElement { static var datatype: MPI_Datatype { cmpi_double() } }
extension Int64: MPIElement { static var datatype: MPI_Datatype { cmpi_int64() } }
extension UInt64: MPIElement { static var datatype: MPI_Datatype { cmpi_uint64() } }
extension UInt8: MPIElement { static var datatype: MPI_Datatype { cmpi_byte() } }
