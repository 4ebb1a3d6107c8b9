import Kernels

/// What operations run on: the threads, the memory, and the tape while training.
public final class Engine {
  public let workers: Workers
  public let pool: BufferPool
  /// Where operations are recorded; nil is inference.
  public var tape: Tape?

  public init(threads: Int) {
    workers = Workers(count: threads)
    pool = BufferPool()
  }
}
