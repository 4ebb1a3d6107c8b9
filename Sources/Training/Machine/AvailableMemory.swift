import Foundation

extension Machine {
  /// The bytes that this process could still have: the least of what the machine has, what its control group leaves and
  /// what its limit of addresses leaves. nil where none of them is known.
  package static var availableMemory: Int? {
    [availableInMachine, availableInControlGroup, availableAddresses].compactMap { $0 }.min()
  }

  private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

  private static func number(_ path: String) -> Int? {
    text(path).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }

  /// `MemAvailable`: what is free, and what the system would give back.
  private static var availableInMachine: Int? {
    text("/proc/meminfo")?.firstMatch(of: #/MemAvailable:\s+(\d+) kB/#).flatMap { Int($0.1) }.map { $0 << 10 }
  }

  /// Of the groups of this process and those above them, of both versions, the one that leaves least. What they hold of
  /// files can be given back.
  private static var availableInControlGroup: Int? {
    var rooms: [Int] = []
    func add(_ folder: String, limit: String, usage: String) {
      guard let limit = number("\(folder)/\(limit)"), let usage = number("\(folder)/\(usage)") else { return }
      let files = text("\(folder)/memory.stat")?.firstMatch(of: #/(?:^|\n)(?:total_)?inactive_file (\d+)/#)
      rooms.append(max(0, limit - usage + (files.flatMap { Int($0.1) } ?? 0)))
    }
    for line in (text("/proc/self/cgroup") ?? "").split(separator: "\n") {
      // `0::/path`, or `4:memory:/path` of the first version.
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3, fields[1].isEmpty || fields[1].split(separator: ",").contains("memory") else { continue }
      let isSecond = fields[1].isEmpty
      let root = isSecond ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
      var parts = fields[2].split(separator: "/")
      while true {
        let folder = ([root] + parts.map(String.init)).joined(separator: "/")
        add(
          folder, limit: isSecond ? "memory.max" : "memory.limit_in_bytes",
          usage: isSecond ? "memory.current" : "memory.usage_in_bytes")
        if parts.isEmpty { break }
        parts.removeLast()
      }
    }
    return rooms.min()
  }

  /// `ulimit -v`.
  private static var availableAddresses: Int? {
    #if os(Linux)
      var limit = rlimit()
      guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
        let most = Int(exactly: limit.rlim_cur),  // No limit is the largest number.
        let pages = text("/proc/self/statm")?.split(separator: " ").first.flatMap({ Int($0) })
      else { return nil }
      return max(0, most - pages * Int(sysconf(Int32(_SC_PAGESIZE))))
    #else
      return nil
    #endif
  }
}
