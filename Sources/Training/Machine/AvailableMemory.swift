import Foundation
import Primitives

extension Machine {
  /// The bytes that this process could still have: the least of what the machine has (what is free, and what the system
  /// would give back), what its control group leaves and what its limit of addresses leaves. nil where none is known.
  package static var availableMemory: Int? {
    [SystemSettings.memory("MemAvailable"), ControlGroup.ofThisProcess.memoryRoom, availableAddresses]
      .compactMap { $0 }.min()
  }

  /// Under `ulimit -v`.
  private static var availableAddresses: Int? {
    guard let most = SystemSettings.limit(.addresses),
      let pages = SystemSettings.text("/proc/self/statm")?.split(separator: " ").first.flatMap({ Int($0) })
    else { return nil }
    return max(0, most - pages * Int(sysconf(Int32(_SC_PAGESIZE))))
  }
}
