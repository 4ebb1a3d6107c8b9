import Primitives

/// Memory, huge pages, and the limits on a process.
package enum MemoryFindings {
  package static func all(localSize: Int, group: ControlGroup) -> [Finding] {
    [memory(localSize, group), overcommit(), hugePages()].compactMap { $0 } + limits(localSize)
  }

  /// R50-FPN at 800 × 1333 with two images a rank takes about so much.
  private static let usual = 3 << 30

  private static func memory(_ ranks: Int, _ group: ControlGroup) -> Finding? {
    guard let free = SystemSettings.memory("MemAvailable") else { return nil }
    let bound = min(free, group.memory ?? .max)
    let text =
      "\(gibibytes(free)) free" + (group.memory.map { ", the control group allows \(gibibytes($0))" } ?? "")
      + "; \(ranks) × about \(gibibytes(usual)) are usual for R50-FPN with two images a rank of 800 × 1333"
    guard bound < ranks * usual else { return Finding("memory", .good, text) }
    return Finding(
      "memory", .notice, text,
      remedy: "fewer ranks here, data.samples_per_gpu: 1, mpi.recompute, or smaller pictures")
  }

  private static func overcommit() -> Finding? {
    guard SystemSettings.countsReservedMemory else { return nil }
    return Finding(
      "overcommit", .notice, "vm.overcommit_memory is 2: memory counts when it is reserved",
      remedy: "where a rank finds no memory although there is some: sysctl vm.overcommit_memory=0, or fewer ranks")
  }

  private static func hugePages() -> Finding? {
    guard let text = SystemSettings.text("/sys/kernel/mm/transparent_hugepage/enabled") else { return nil }
    guard text.contains("[never]") else { return Finding("huge pages", .good, text) }
    return Finding(
      "huge pages", .notice, "transparent huge pages are off: a step takes some per cent longer",
      remedy: "as root: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled")
  }

  private static func limits(_ ranks: Int) -> [Finding] {
    [
      limit("open files", .files, atLeast: 1024, "ulimit -n 4096"),
      limit("processes", .processes, atLeast: 64 * ranks, "ulimit -u \(256 * ranks)"),
      limit("address space", .addresses, atLeast: usual, unit: 1 << 20, "ulimit -v unlimited"),
      limit("file size", .fileSize, atLeast: 1 << 30, unit: 1 << 20, "ulimit -f unlimited"),
    ]
  }

  private static func limit(
    _ name: String, _ resource: SystemSettings.Resource, atLeast least: Int, unit: Int = 1, _ remedy: String
  ) -> Finding {
    guard let value = SystemSettings.limit(resource) else { return Finding(name, .good, "no limit") }
    let text = "at most \(value / unit)\(unit == 1 ? "" : " MiB")"
    guard value < least else { return Finding(name, .good, text) }
    return Finding(name, .warning, "\(text), \(least / unit) are wanted", remedy: remedy)
  }

  private static func gibibytes(_ bytes: Int) -> String { "\(fixed(Double(bytes) / 1_073_741_824, 1)) GiB" }
}
