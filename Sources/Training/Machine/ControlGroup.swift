import Foundation

/// What the control group of this process (a container, a batch job) allows it.
package struct ControlGroup: Equatable {
  /// Cores' worth of time; nil without a limit.
  package var cores: Double?
  /// Bytes; nil without a limit.
  package var memory: Int?

  package init(cores: Double? = nil, memory: Int? = nil) { (self.cores, self.memory) = (cores, memory) }

  /// Of this process, from `/proc/self/cgroup` and the files of its group and of those above it, versions 1 and 2.
  package static func ofThisProcess() -> ControlGroup {
    func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
    return ControlGroup(groups: text("/proc/self/cgroup") ?? "", file: text)
  }

  /// - Parameters:
  ///   - groups: the content of `/proc/self/cgroup`.
  ///   - file: the content of a file; nil where there is none.
  package init(groups: String, file: (String) -> String?) {
    self.init()
    for line in groups.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 3 else { continue }
      let controllers = parts[1].split(separator: ",")
      for folder in Self.chain(parts[2]) {
        if parts[1].isEmpty {
          limit(cores: file("/sys/fs/cgroup\(folder)/cpu.max").flatMap(Self.quota))
          limit(memory: file("/sys/fs/cgroup\(folder)/memory.max").flatMap(Self.number))
        }
        if controllers.contains("cpu") {
          let quota = file("/sys/fs/cgroup/cpu\(folder)/cpu.cfs_quota_us").flatMap(Self.number)
          let period = file("/sys/fs/cgroup/cpu\(folder)/cpu.cfs_period_us").flatMap(Self.number)
          if let quota, let period, quota > 0, period > 0 { limit(cores: Double(quota) / Double(period)) }
        }
        if controllers.contains("memory") {
          limit(memory: file("/sys/fs/cgroup/memory\(folder)/memory.limit_in_bytes").flatMap(Self.number))
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

  /// Version 1 says "none" by a number near 2^63.
  private mutating func limit(memory other: Int?) {
    if let other, other < 1 << 60 { memory = min(memory ?? .max, other) }
  }

  /// `400000 100000`, or `max 100000`.
  private static func quota(_ text: String) -> Double? {
    let numbers = text.split { $0.isWhitespace }.map { Double($0) }
    guard numbers.count == 2, let time = numbers[0], let period = numbers[1], period > 0 else { return nil }
    return time / period
  }

  private static func number(_ text: String) -> Int? { Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) }
}
