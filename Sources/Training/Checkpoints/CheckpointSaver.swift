import Foundation
import HDF5
import Kernels
import Primitives
import Tensors

/// Writes checkpoints of a model, one at a time: beside the training, on a thread of its own and from a copy of the
/// arenas, or while the training waits. The bytes are the same.
///
/// HDF5's library may be in one thread at a time: nobody reads or writes another HDF5 file while a save is under way.
package final class CheckpointSaver {
  /// What came of a save.
  package typealias Result = Swift.Result<Void, CheckpointError>

  private let store: ParameterStore
  private let attempts: SaveAttempts
  private var copy: ParameterCopy?
  private var job: Job?

  /// - Parameter isBeside: false where the training waits, and where there turns out to be no memory for a copy.
  package init(of store: ParameterStore, isBeside: Bool, attempts: SaveAttempts = SaveAttempts()) {
    (self.store, self.attempts) = (store, attempts)
    copy = isBeside ? ParameterCopy(of: store) : nil
  }

  /// Whether it writes beside the training.
  package var isBeside: Bool { copy != nil }

  /// Begins to save the model as it is now, and comes back when it may change again. The save before must be finished.
  /// - Parameters:
  ///   - header: all of a checkpoint but its arrays.
  ///   - link: a link in the same folder that is to lead to it.
  package func start(_ header: Checkpoint, to path: String, link: String? = nil) {
    require(job == nil, "a save begins while one is under way")
    copy?.update(from: store)
    let states = store.states.map { (state: $0, arena: copy?.state($0) ?? store.state($0)) }
    let job = Job(
      header: header, path: path, link: link, store: store, values: copy?.values ?? store.values, states: states,
      attempts: attempts)
    self.job = job
    // Where there is no thread to be had, the training waits.
    guard isBeside, SystemThread.startIfPossible("checkpoint", { job.run() }) else { return job.run() }
  }

  /// Whether a save was started whose result nobody has taken.
  package var isUnderWay: Bool { job != nil }

  /// The result of the save that was started, once; nil where there is none, or not yet.
  package func result(waiting: Bool) -> Result? {
    let result = job?.result(waiting: waiting)
    if result != nil { job = nil }
    return result
  }

  /// One save. Its thread reads names, shapes and layouts, which never change, and memory that nobody writes to meanwhile.
  private final class Job: @unchecked Sendable {
    private let header: Checkpoint
    private let path: String
    private let link: String?
    private let store: ParameterStore
    private let values: Floats
    private let states: [(state: ParameterState, arena: Floats)]
    private let attempts: SaveAttempts
    private let condition = NSCondition()
    private var finished: Result?

    init(
      header: Checkpoint, path: String, link: String?, store: ParameterStore, values: Floats,
      states: [(state: ParameterState, arena: Floats)], attempts: SaveAttempts
    ) {
      (self.header, self.path, self.link, self.store) = (header, path, link, store)
      (self.values, self.states, self.attempts) = (values, states, attempts)
    }

    func run() {
      let result = Result { () throws(CheckpointError) in try write() }
      condition.withLock {
        finished = result
        condition.broadcast()
      }
    }

    func result(waiting: Bool) -> Result? {
      condition.withLock {
        while waiting, finished == nil { condition.wait() }
        return finished
      }
    }

    private func write() throws(CheckpointError) {
      let image = try image()
      try attempts.run { isFull throws(CheckpointError) in
        try CheckpointFile.write(image, to: path, diskIsFull: isFull)
      }
      guard let link else { return }
      let name = (path as NSString).lastPathComponent
      try attempts.run { _ throws(CheckpointError) in try CheckpointFile.link(link, to: name) }
    }

    /// HDF5 builds a file in memory, in steps of 64 MiB, and leaves a copy. Swift's arrays, of which one is at work, end
    /// the program where there is no memory for them: whether there is any is looked up before.
    private func image() throws(CheckpointError) -> [UInt8] {
      let needed = 2 * ParameterCopy.byteCount(of: store) + 64 << 20
      guard LargePages.hasRoom(needed) else { throw lackOfMemory("\(needed >> 20) MiB are not to be had") }
      do {
        let averages = states.first { $0.state == .average }?.arena
        return try header.image(
          model: store.exportedModel(from: values, averages: averages),
          states: states.filter { $0.state != .average }.map { ($0.state, store.exportedState(from: $0.arena)) })
      } catch {
        throw lackOfMemory("\(error)")
      }
    }

    private func lackOfMemory(_ reason: String) -> CheckpointError {
      CheckpointError(
        description:
          "\(path): error: the checkpoint could not be put together in memory: \(reason); raise "
          + "the limit (ulimit -v) or use a machine with more memory. Older checkpoints are left as they were",
        exitCode: .io)
    }
  }
}

/// How often and when a save is tried.
package struct SaveAttempts: Sendable {
  /// Seconds before each further attempt.
  package var pauses = [0.5, 1, 2]
  /// Whether somebody waits, so that the pauses are to be cut off: asked every tenth of a second.
  package var isHurried: @Sendable () -> Bool = { false }
  /// Whether the disk is taken to be full (`mpi.inject`), asked before each attempt.
  package var diskIsFull: @Sendable () -> Bool = { false }

  package init() {}

  /// Tries until it goes well, or fails with what a little time doesn't mend.
  func run(_ attempt: (_ diskIsFull: Bool) throws(CheckpointError) -> Void) throws(CheckpointError) {
    for pause in pauses {
      do throws(CheckpointError) { return try attempt(diskIsFull()) } catch {
        guard error.isPassing, !isHurried() else { throw error }
      }
      for _ in 0..<Int(pause * 10) where !isHurried() { usleep(100_000) }
    }
    try attempt(diskIsFull())
  }
}
