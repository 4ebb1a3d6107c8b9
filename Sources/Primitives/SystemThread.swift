internal import CMachine
import Foundation

/// Threads that say so where they can't be started: a limit (`ulimit -u`, `ulimit -v`, the control group's) forbids it.
/// Foundation's `Thread` is silent then, and whoever waits for its work hangs.
public enum SystemThread {
  /// Starts a thread that lives as long as `body` runs. Ends the program with 74 where there is none to be had.
  /// - Parameters:
  ///   - name: what it does, at most 15 characters, for `top -H` and debuggers.
  ///   - body: what runs on it.
  public static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
    let code = attempt(name, body)
    if code != 0 { end("the thread '\(name)'", code) }
  }

  /// The same for work that can be done without a thread too.
  /// - Returns: whether it was started.
  public static func startIfPossible(_ name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
    attempt(name, body) == 0
  }

  /// Ends the program with 74 unless `count` threads could live beside those that there are: Dispatch would try again for
  /// ever to start them.
  public static func expect(_ count: Int) {
    let code = machine_try_threads(Int32(clamping: count))
    if code != 0 { end("\(count) more \(count == 1 ? "thread" : "threads") to compute with", code) }
  }

  private static func attempt(_ name: String, _ body: @escaping @Sendable () -> Void) -> Int32 {
    let work = Unmanaged.passRetained(Work(body))
    let code = machine_start_thread(
      name,
      { context in
        guard let context else { return }
        Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
      }, work.toOpaque())
    if code != 0 { work.release() }
    return code
  }

  private static func end(_ what: String, _ code: Int32) -> Never {
    endAllRanks(
      with: """
        the system can't start \(what) (\(String(cString: strerror(code)))); a higher limit of processes (ulimit -u) or \
        memory (ulimit -v), fewer threads (mpi.threads_per_rank, data.workers_per_gpu) or fewer ranks on this machine \
        help
        """, code: .io)
  }

  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}
