internal import CMPI
internal import CMachine
import Foundation

/// MPI between `MPI_Init_thread` and `MPI_Finalize`. Only the main thread may call MPI.
public final class MPISession {
  public let world: Communicator

  public init() throws {
    var provided: Int32 = 0
    try check(MPI_Init_thread(nil, nil, cmpi_thread_funneled(), &provided), "MPI_Init_thread")
    guard provided >= cmpi_thread_funneled() else {
      throw MPIError(
        function: "MPI_Init_thread",
        text: "this MPI offers thread level \(provided), but a threaded program needs MPI_THREAD_FUNNELED")
    }
    world = try Communicator.ofAllRanks()
    // A bug that shows on one rank ends all of them.
    machine_set_ending { code in MPI_Abort(cmpi_comm_world(), code) }
  }

  /// To be called when all went well. On the way out of an error it would wait for ever for ranks that are inside a
  /// collective: there `abort` is the way.
  public func finalize() throws { try check(MPI_Finalize(), "MPI_Finalize") }

  /// Ends all ranks; mpirun returns `code`.
  public func abort(code: Int32) -> Never {
    MPI_Abort(cmpi_comm_world(), code)
    exit(code)
  }
}

/// A collective under way. MPI moves it only inside MPI calls: `test` now and then, or it waits for `wait`.
public final class Request {
  private var pending: [MPI_Request?]

  init(_ pending: [MPI_Request?]) { self.pending = pending }

  /// Whether it is done.
  public func test() throws -> Bool {
    while var request = pending.last {
      var isDone: Int32 = 0
      try check(MPI_Test(&request, &isDone, cmpi_status_ignore()), "MPI_Test")
      if isDone == 0 { return false }
      pending.removeLast()
    }
    return true
  }

  public func wait() throws {
    while var request = pending.last {
      try check(MPI_Wait(&request, cmpi_status_ignore()), "MPI_Wait")
      pending.removeLast()
    }
  }
}

func check(_ code: Int32, _ function: String) throws(MPIError) {
  guard code != 0 else { return }
  var (text, length) = ([CChar](repeating: 0, count: Int(cmpi_max_error_string())), Int32(0))
  MPI_Error_string(code, &text, &length)
  let bytes = text.prefix(Int(length)).map { UInt8(bitPattern: $0) }
  throw MPIError(function: function, text: String(decoding: bytes, as: UTF8.self))
}
