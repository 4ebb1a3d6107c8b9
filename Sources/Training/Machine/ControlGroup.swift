import Foundation
import Primitives

/// What the control group of this process (a container, a batch job) and those above it allow, versions 1 and 2.
package struct ControlGroup: Equatable {
  /// Cores' worth of time; nil without a limit.
  package var cores: Double?
  /// Bytes; nil without a limit.
  package var memory: Int?
  /// The bytes that are left of that in the group that leaves least. What it holds of files can be given back.
  package var memoryRoom: Int?

  package init(cores: Double? = nil, memory: Int? = nil, memoryRoom: Int? = nil) {
    (self.cores, self.memory, self.memoryRoom) = (cores, memory, memoryRoom)
  }

  package static var ofThisProcess: ControlGroup {
    ControlGroup(groups: SystemSettings.text("/proc/self/cgroup") ?? "", file: SystemSettings.text)
  }

  /// - Parameters:
  ///   - groups: the content of `/proc/self/cgroup`: `0::/path`, or `4:memory:/path` of the first version.
  ///   - file: the content of a file; nil where there is none.
  package init(groups: String, file: (String) -> String?) {
    self.init()
    func number(_ path: String) -> Int? { file(path).flatMap(Self.number) }
    for line in groups.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
      guard fields.count == 3 else { continue }
      let controllers = fields[1].split(separator: ",")
      for folder in Self.chain(fields[2]) {
        if controllers.isEmpty {
          limit(cores: file("/sys/fs/cgroup\(folder)/cpu.max").flatMap(Self.quota))
          limitMemory("/sys/fs/cgroup\(folder)", "memory.max", usage: "memory.current", file)
        }
        if controllers.contains("cpu") {
          let quota = number("/sys/fs/cgroup/cpu\(folder)/cpu.cfs_quota_us")
          let period = number("/sys/fs/cgroup/cpu\(folder)/cpu.cfs_period_us")
          if let quota, let period, quota > 0, period > 0 { limit(cores: Double(quota) / Double(period)) }
        }
        if controllers.contains("memory") {
          let path = "/sys/fs/cgroup/memory\(folder)"
          limitMemory(path, "memory.limit_in_bytes", usage: "memory.usage_in_bytes", file)
        }
      }
    }
  }

  /// A group and those above it: `/a/b` gives `/a/b`, `/a` and ``.
  private static func chain(_ path: String) -> [String] {
    let parts = path.split(separator: "/").filter { $0 != ".." }
    return (0...parts.count).reversed().map { parts[..<$0].map { "/\($0)" }.joined() }
  }

  private mutating func limit(cores other: Double?) {
    if let other { cores = min(cores ?? .infinity, other) }
  }

  private mutating func limitMemory(_ folder: String, _ limit: String, usage: String, _ file: (String) -> String?) {
    // Version 1 says "none" by a number near 2^63.
    guard let limit = file("\(folder)/\(limit)").flatMap(Self.number), limit < 1 << 60 else { return }
    memory = min(memory ?? .max, limit)
    guard let usage = file("\(folder)/\(usage)").flatMap(Self.number) else { return }
    let files = file("\(folder)/memory.stat")?.firstMatch(of: #/(?:^|\n)(?:total_)?inactive_file (\d+)/#)
    memoryRoom = min(memoryRoom ?? .max, max(0, limit - usage + (files.flatMap { Int($0.1) } ?? 0)))
  }

  /// `400000 100000`, or `max 100000`.
  private static func quota(_ text: String) -> Double? {
    let numbers = text.split { $0.isWhitespace }.map { Double($0) }
    guard numbers.count == 2, let time = numbers[0], let period = numbers[1], period > 0 else { return nil }
    return time / period
  }

  private static func number(_ text: String) -> Int? { Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) }
}
