internal import CMachine
import Foundation

/// Ends the program because this machine, or a limit on this process, has no more memory, and says what helps. It ends
/// all ranks with 74, as other things that the machine can't give (`RunError`'s I/O): memory is asked for in places that
/// can't throw.
///
/// - Parameters:
///   - needed: the bytes that the arrays of one kind take together, with those that were asked for.
///   - available: the bytes that this process could have for them.
public func outOfMemory(needed: Int, available: Int) -> Never {
  endAllRanks(
    with: """
      out of memory: \((needed + 1 << 20 - 1) >> 20) MiB are needed for arrays and \(available >> 20) MiB are there \
      (\(ProcessInfo.processInfo.memoryFacts)); smaller pictures (img_scale), fewer of them at a time \
      (data.samples_per_gpu), mpi.recompute, fewer ranks on this machine, a smaller model or a higher limit help
      """, code: .io)
}

/// The same for what isn't an array.
///
/// - Parameters:
///   - purpose: who needs it.
///   - needed: the bytes that were asked for and not given.
public func outOfMemory(for purpose: String, needed: Int) -> Never {
  endAllRanks(
    with: """
      out of memory: \(needed >> 20) MiB are needed for \(purpose), and the system doesn't give them \
      (\(ProcessInfo.processInfo.memoryFacts)); a higher limit, fewer threads (mpi.threads_per_rank) or fewer ranks on \
      this machine help
      """, code: .io)
}

extension ProcessInfo {
  /// What the machine has, and what limits a process to less.
  fileprivate var memoryFacts: String {
    var facts = ["the machine has \(Int(clamping: physicalMemory) >> 20) MiB"]
    for (name, resource) in [("ulimit -v", SystemSettings.Resource.addresses), ("ulimit -d", .data)] {
      if let most = SystemSettings.limit(resource) { facts.append("'\(name)' allows \(most >> 20) MiB") }
    }
    if SystemSettings.countsReservedMemory { facts.append("vm.overcommit_memory is 2") }
    return facts.joined(separator: ", ")
  }
}
