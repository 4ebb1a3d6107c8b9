import Dispatch
import Foundation
import Primitives
import Synchronization

/// Single-precision numbers in memory that the caller owns. Kernels state what layout they expect.
public typealias Floats = UnsafeMutablePointer<Float>

/// The threads of a rank. All spreading of work over threads happens here.
///
/// Jobs are numbered and cut by the caller in a way that does not depend on the number of threads, so that
/// results have the same bits on one thread and on many.
public final class Workers: @unchecked Sendable {
  /// The number of threads.
  public let count: Int
  /// Memory for what all jobs of a kernel read, filled before they start; valid until the next kernel.
  let shared = Scratch()
  private let scratches: [Scratch]

  /// `count`: at least one. Ends the program where the threads, or the memory of their products, aren't to be had.
  public init(count: Int) {
    require(count > 0, "a rank of \(count) threads")
    self.count = count
    scratches = (0..<count).map { _ in Scratch() }
    MatrixMultiply.useOneThreadACall()
    // Dispatch has no more threads than there are cores.
    let together = min(count, ProcessInfo.processInfo.activeProcessorCount)
    if together > 1 { Self.startThreads(together) }
    MatrixMultiply.takeMemory(calls: together)
  }

  /// Has Dispatch start its threads now, where it can be told whether that is possible: later others may have taken what
  /// a limit allows, and it would try again for ever. Dispatch may be busy elsewhere; then they start as they are needed.
  private static func startThreads(_ count: Int) {
    SystemThread.expect(count - 1)
    let arrived = Atomic<Int>(0)
    let end = ContinuousClock.now + .milliseconds(50)
    DispatchQueue.concurrentPerform(iterations: count) { _ in
      arrived.add(1, ordering: .relaxed)
      while arrived.load(ordering: .relaxed) < count, ContinuousClock.now < end { usleep(50) }
    }
  }

  /// Runs `body` for each job in 0 ..< jobs and returns when all are done. Jobs are handed out in order to whichever
  /// thread is free; `body` gets the scratch memory of its thread, whose contents are undefined.
  public func run(jobs: Int, _ body: (_ job: Int, _ scratch: Scratch) -> Void) {
    guard jobs > 1, count > 1 else {
      for job in 0..<max(jobs, 0) { body(job, scratches[0]) }
      return
    }
    withoutActuallyEscaping(body) { body in
      let unchecked = Unchecked(body)
      let next = Atomic<Int>(0)
      DispatchQueue.concurrentPerform(iterations: min(count, jobs)) { [scratches] thread in
        while true {
          let job = next.add(1, ordering: .relaxed).oldValue
          guard job < jobs else { return }
          unchecked.value(job, scratches[thread])
        }
      }
    }
  }

  /// Runs `body` on consecutive ranges of at most `grain` that cover 0 ..< total.
  public func run(over total: Int, grain: Int, _ body: (Range<Int>) -> Void) {
    run(jobs: (total + grain - 1) / grain) { job, _ in body(job * grain..<min(total, (job + 1) * grain)) }
  }

  /// Sets `count` floats to zero.
  public func clear(_ values: Floats, count: Int) {
    run(over: count, grain: 1 << 16) { (values + $0.lowerBound).update(repeating: 0, count: $0.count) }
  }

  private struct Unchecked<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
  }
}

/// Memory of one thread that grows to the largest request and stays.
public final class Scratch: @unchecked Sendable {
  private var base: UnsafeMutableRawPointer?
  private var capacity = 0

  init() {}

  deinit { LargePages.free(base) }

  /// Room for `count` floats, aligned to 64 bytes, with undefined contents; valid until the next call.
  public func floats(_ count: Int) -> Floats {
    if base == nil || count > capacity {
      LargePages.free(base)
      capacity = count
      base = LargePages.allocate(byteCount: max(count, 1) * MemoryLayout<Float>.stride)
    }
    return base!.assumingMemoryBound(to: Float.self)
  }

  /// The same memory as `count` doubles.
  func doubles(_ count: Int) -> UnsafeMutablePointer<Double> {
    UnsafeMutableRawPointer(floats(2 * count)).assumingMemoryBound(to: Double.self)
  }
}
