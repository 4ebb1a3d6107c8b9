internal import CMachine
import Foundation
import Primitives

/// How many addresses the arrays of a process may take. Most systems count memory where it is first written, and
/// addresses are free; `ulimit -v`, `ulimit -d` and `vm.overcommit_memory=2` count addresses.
package struct AddressRoom: Equatable {
  /// The machine's memory, in bytes.
  package let machine: Int
  /// The addresses that may still be taken, in bytes; nil where they are free.
  package let counted: Int?

  package init(machine: Int, counted: Int?) { (self.machine, self.counted) = (machine, counted) }

  /// What is left for all that isn't an array: pictures, checkpoints, stacks of threads.
  package static let kept = 128 << 20
  /// What a pool takes at a time where addresses are counted, if its arrays need no more.
  package static let portion = 64 << 20

  /// The byte counts that a pool tries to take, in this order, for an array of `needed` bytes beside the `held` ones that
  /// it has. None where the array can't be had.
  package func attempts(needed: Int, held: Int) -> [Int] {
    guard needed <= machine - held else { return [] }
    guard let counted, counted < 8 * machine else {
      return (held == 0 ? [machine] : []) + [max(needed, Self.portion), needed]
    }
    let free = counted - Self.kept
    return needed <= free ? [max(needed, min(Self.portion, free / 8)), needed] : []
  }

  /// The bytes that a pool which holds `held` could have in all.
  package func available(held: Int) -> Int {
    guard let counted, counted < 8 * machine else { return machine }
    return min(machine, held + max(0, counted - Self.kept))
  }

  /// Has the program need fewer addresses where there are few. To be called before it starts threads.
  package static func economize() {
    if let counted = current.counted, counted < 16 << 30 { machine_share_heaps() }
  }

  /// Of this process, now.
  package static var current: AddressRoom {
    let machine = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    #if os(Linux)
      return AddressRoom(machine: machine, counted: [underLimits, underAccounting].compactMap { $0 }.min())
    #else
      return AddressRoom(machine: machine, counted: nil)
    #endif
  }

  #if os(Linux)
    /// Under `ulimit -v` and `ulimit -d`.
    private static var underLimits: Int? {
      let (all, data) = (SystemSettings.limit(.addresses), SystemSettings.limit(.data))
      guard all != nil || data != nil else { return nil }
      // Pages: all, resident, shared, text, library, data and stack, dirty.
      let used = SystemSettings.text("/proc/self/statm")?.split(separator: " ").compactMap { Int($0) } ?? []
      guard used.count > 5 else { return nil }
      let page = Int(sysconf(Int32(_SC_PAGESIZE)))
      let rooms = [all.map { $0 - used[0] * page }, data.map { $0 - used[5] * page }].compactMap { $0 }
      return rooms.map { max(0, $0) }.min()
    }

    /// Under `vm.overcommit_memory=2`, of the machine; its ranks take from it as they need it.
    private static var underAccounting: Int? {
      guard SystemSettings.countsReservedMemory, let limit = SystemSettings.memory("CommitLimit"),
        let used = SystemSettings.memory("Committed_AS")
      else { return nil }
      return max(0, limit - used)
    }
  #endif
}
