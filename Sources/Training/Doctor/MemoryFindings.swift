import Foundation
import Primitives

/// Memory, huge pages, and the limits on a process.
package enum MemoryFindings {
  package static func all(localSize: Int, group: ControlGroup) -> [Finding] {
    [memory(localSize, group), overcommit(), hugePages()].compactMap { $0 } + limits(localSize)
  }

  /// R50-FPN at 800 × 1333 with two images a rank takes about so much.
  private static let usual = 3 << 30

  private static func memory(_ ranks: Int, _ group: ControlGroup) -> Finding? {
    guard let free = freeMemory() else { return nil }
    let bound = min(free, group.memory ?? .max)
    let text =
      "\(gibibytes(free)) free" + (group.memory.map { ", the control group allows \(gibibytes($0))" } ?? "")
      + "; \(ranks) × about \(gibibytes(usual)) are usual for R50-FPN with two images a rank of 800 × 1333"
    guard bound < ranks * usual else { return Finding("memory", .good, text) }
    return Finding(
      "memory", .notice, text,
      remedy: "fewer ranks here, data.samples_per_gpu: 1, mpi.recompute, or smaller pictures")
  }

  /// Free, and what the system would give back from its caches.
  private static func freeMemory() -> Int? {
    guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") })
    else { return nil }
    return line.split(separator: " ").compactMap { Int($0) }.first.map { $0 << 10 }
  }

  private static func overcommit() -> Finding? {
    guard setting("/proc/sys/vm/overcommit_memory") == "2" else { return nil }
    return Finding(
      "overcommit", .notice, "vm.overcommit_memory is 2: memory counts when it is reserved",
      remedy: "where a rank finds no memory although there is some: sysctl vm.overcommit_memory=0, or fewer ranks")
  }

  private static func hugePages() -> Finding? {
    guard let text = setting("/sys/kernel/mm/transparent_hugepage/enabled") else { return nil }
    guard text.contains("[never]") else { return Finding("huge pages", .good, text) }
    return Finding(
      "huge pages", .notice, "transparent huge pages are off: a step takes some per cent longer",
      remedy: "as root: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled")
  }

  private static func limits(_ ranks: Int) -> [Finding] {
    [
      limit("open files", softLimit(.files), atLeast: 1024, "ulimit -n 4096"),
      limit("processes", softLimit(.processes), atLeast: 64 * ranks, "ulimit -u \(256 * ranks)"),
      limit("address space", softLimit(.addresses), atLeast: usual, unit: 1 << 20, "ulimit -v unlimited"),
      limit("file size", softLimit(.fileSize), atLeast: 1 << 30, unit: 1 << 20, "ulimit -f unlimited"),
    ]
  }

  private static func limit(
    _ name: String, _ value: UInt64?, atLeast least: Int, unit: UInt64 = 1, _ remedy: String
  ) -> Finding {
    guard let value else { return Finding(name, .good, "no limit") }
    let text = "at most \(value / unit)\(unit == 1 ? "" : " MiB")"
    guard value < UInt64(least) else { return Finding(name, .good, text) }
    return Finding(name, .warning, "\(text), \(UInt64(least) / unit) are wanted", remedy: remedy)
  }

  private enum Resource { case files, processes, addresses, fileSize }

  /// nil without a limit.
  private static func softLimit(_ resource: Resource) -> UInt64? {
    var limits = rlimit()
    #if os(Linux)
      let number =
        switch resource {
        case .files: __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        case .processes: __rlimit_resource_t(__RLIMIT_NPROC.rawValue)
        case .addresses: __rlimit_resource_t(RLIMIT_AS.rawValue)
        case .fileSize: __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
        }
    #else
      let number =
        switch resource {
        case .files: RLIMIT_NOFILE
        case .processes: RLIMIT_NPROC
        case .addresses: RLIMIT_AS
        case .fileSize: RLIMIT_FSIZE
        }
    #endif
    guard getrlimit(number, &limits) == 0 else { return nil }
    let value = UInt64(limits.rlim_cur)
    return value >= 1 << 62 ? nil : value
  }

  static func setting(_ path: String) -> String? {
    (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func gibibytes(_ bytes: Int) -> String { "\(fixed(Double(bytes) / 1_073_741_824, 1)) GiB" }
}
