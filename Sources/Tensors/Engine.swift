import Kernels

/// What operations run on: the threads, the memory, and the tape while training.
public final class Engine {
  /// The threads of this rank.
  public let workers: Workers
  /// Where all buffers come from, but not the parameters.
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

  /// - Parameters:
  ///   - threads: at least one.
  ///   - marksFreeMemory: for tests; see `BufferPool`.
  public init(threads: Int, marksFreeMemory: Bool = false) {
    workers = Workers(count: threads)
    pool = BufferPool(marksFreeMemory: marksFreeMemory)
  }
}
