import Foundation

/// What the system says of itself and allows this process, in its files and by its calls; on other systems than Linux
/// little of it is known.
public enum SystemSettings {
  /// What `ulimit` limits.
  public enum Resource: Sendable { case addresses, data, fileSize, files, processes }

  /// The soft limit of this process; nil without one.
  public static func limit(_ resource: Resource) -> Int? {
    var limit = rlimit()
    #if os(Linux)
      let number =
        switch resource {
        case .addresses: __rlimit_resource_t(RLIMIT_AS.rawValue)
        case .data: __rlimit_resource_t(RLIMIT_DATA.rawValue)
        case .fileSize: __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
        case .files: __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        case .processes: __rlimit_resource_t(__RLIMIT_NPROC.rawValue)
        }
    #else
      let number =
        switch resource {
        case .addresses: RLIMIT_AS
        case .data: RLIMIT_DATA
        case .fileSize: RLIMIT_FSIZE
        case .files: RLIMIT_NOFILE
        case .processes: RLIMIT_NPROC
        }
    #endif
    guard getrlimit(number, &limit) == 0 else { return nil }
    return Int(exactly: limit.rlim_cur)  // No limit is the largest number.
  }

  /// A figure of `/proc/meminfo` in bytes, for example `MemAvailable`; nil where there is none.
  public static func memory(_ name: String) -> Int? {
    let line = text("/proc/meminfo")?.split(separator: "\n").first { $0.hasPrefix("\(name):") }
    return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
  }

  /// Whether memory counts when it is reserved (`vm.overcommit_memory` is 2).
  public static var countsReservedMemory: Bool { text("/proc/sys/vm/overcommit_memory") == "2" }

  /// What a small file of the system holds, without the white space around it; nil where there is none.
  public static func text(_ path: String) -> String? {
    (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
