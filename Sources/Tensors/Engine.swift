import Kernels

/// What operations run on: the threads, the memory, and the tape while training.
public final class Engine {
  public let workers: Workers
  public let pool: BufferPool
  /// Where operations are recorded; nil is inference.
  public var tape: Tape?

  /// Runs `body` without recording, as in inference.
  public func withoutTape<Result>(_ body: () throws -> Result) rethrows -> Result {
    let recorded = tape
    tape = nil
    defer { tape = recorded }
    return try body()
  }

  public init(threads: Int) {
    workers = Workers(count: threads)
    pool = BufferPool()
  }
}
