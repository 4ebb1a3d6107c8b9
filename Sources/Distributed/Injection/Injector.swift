import Foundation
import Primitives
import Synchronization
import Tensors

/// Makes the faults of one rank happen, each once in the life of a work directory: what has fired stands in its
/// `inject.fired`, and a run that is started again passes it over.
public final class Injector: Sendable {
  private struct State {
    var open: [Fault]
    var step = 0
    /// Sleeps at the start of each step.
    var slowness: Duration?
    /// How many more attempts to save find the disk full.
    var fullDiskAttempts = 0
  }

  private let rank: Int
  private let path: String
  private let state: Mutex<State>

  /// nil where this rank has no fault left.
  public init?(_ faults: [Fault], rank: Int, workDir: String) {
    path = "\(workDir)/inject.fired"
    self.rank = rank
    let lines = (try? String(contentsOfFile: path, encoding: .utf8))?.split(separator: "\n").map(String.init) ?? []
    let open = faults.filter { $0.rank == rank && !lines.contains($0.text) }
    guard !open.isEmpty else { return nil }
    state = Mutex(State(open: open))
  }

  /// At the start of a step, 1-based: the faults of a whole process.
  /// - Throws: `InjectionError` where what fires can't be noted.
  public func beginStep(_ step: Int) throws {
    state.withLock { $0.step = step }
    if try fires(.kill) != nil { kill(getpid(), SIGKILL) }
    if try fires(.stop) != nil { kill(getpid(), SIGSTOP) }
    if let fault = try fires(.stall) { sleep(fault.duration) }
    if let fault = try fires(.slow) { state.withLock { $0.slowness = fault.duration } }
    if let slowness = state.withLock({ $0.slowness }) { sleep(slowness) }
  }

  /// Before the backward pass, which adds to the gradients, all of them zero.
  public func poisonGradients(of store: ParameterStore) throws {
    guard let fault = try fires(.nan) else { return }
    parameter(of: fault, in: store)?.gradient[0] = .nan
  }

  /// Before the ranks exchange the rest of their gradients.
  public func swapCollectives(in order: CollectiveOrder) throws {
    if try fires(.swap) != nil { order.record(.gradients, "swapped by mpi.inject", count: 1) }
    if let fault = try fires(.delay) { sleep(fault.duration) }
  }

  /// After the update of a step.
  public func flipBit(in store: ParameterStore) throws {
    guard let fault = try fires(.flip), let parameter = parameter(of: fault, in: store) else { return }
    parameter.values[0] = Float(bitPattern: parameter.values[0].bitPattern ^ 1 << UInt32(fault.bit))
  }

  /// Whether this attempt to write a checkpoint is to find the disk full.
  public func diskIsFull() throws -> Bool {
    if let fault = try fires(.fullDisk) { state.withLock { $0.fullDiskAttempts = fault.times } }
    return state.withLock { state in
      guard state.fullDiskAttempts > 0 else { return false }
      state.fullDiskAttempts -= 1
      return true
    }
  }

  /// The fault of this kind that is due, if any, noted as fired. A full disk waits for the next save.
  private func fires(_ kind: Fault.Kind) throws -> Fault? {
    let due = state.withLock { state -> Fault? in
      let index = state.open.firstIndex {
        $0.kind == kind && (kind == .fullDisk ? $0.step <= state.step : $0.step == state.step)
      }
      return index.map { state.open.remove(at: $0) }
    }
    guard let due else { return nil }
    try note(due)
    LiveLine.printError("[rank \(rank)] notice: mpi.inject: \(due.text)\n")
    return due
  }

  /// What has fired must outlive the fault itself.
  private func note(_ fault: Fault) throws {
    do throws(FileError) {
      let file = try FileStream(appendingTo: path)
      try file.write("\(fault.text)\n")
      try file.sync()
      try file.close()
    } catch {
      throw InjectionError(
        description: "\(path): error: what mpi.inject has done can't be noted (\(error.reason)), and it would be done "
          + "again after each restart; free the space or leave mpi.inject out", exitCode: .io)
    }
  }

  private func parameter(of fault: Fault, in store: ParameterStore) -> Parameter? {
    store.trainable.first { $0.name == fault.parameter ?? $0.name }
  }

  /// A signal wakes a sleeper, so that it sleeps in pieces; nil is for ever.
  private func sleep(_ duration: Duration?) {
    let end = duration.map { ContinuousClock.now + $0 }
    while end.map({ ContinuousClock.now < $0 }) ?? true {
      let left = end.map { $0 - ContinuousClock.now } ?? .seconds(1)
      Thread.sleep(forTimeInterval: min(1, max(0, left / .seconds(1))))
    }
  }
}

/// Faults that can't be made, in a sentence.
public struct InjectionError: ReportedError {
  public let description: String
  public let exitCode: ExitCode
  public var scope: ErrorScope { exitCode == .io ? .thisRank : .allRanks }

  /// - Throws: where a fault names a rank or a parameter that there is not.
  public static func check(_ faults: [Fault], ranks: Int, store: ParameterStore) throws(InjectionError) {
    for fault in faults {
      guard fault.rank < ranks else {
        throw InjectionError(
          description: "'mpi.inject' names rank \(fault.rank) in '\(fault.text)', but the ranks are 0 to \(ranks - 1)",
          exitCode: .configuration)
      }
      guard let name = fault.parameter, !store.trainable.contains(where: { $0.name == name }) else { continue }
      throw InjectionError(
        description: "'mpi.inject' names '\(name)' in '\(fault.text)', but no trainable parameter of the model is "
          + "called so; 'rcnn-train inspect' lists the names of a checkpoint", exitCode: .configuration)
    }
  }
}
