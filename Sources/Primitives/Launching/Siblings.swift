internal import CMachine
import Foundation

/// The processes that one parent started on this machine, where they can't agree on anything by MPI.
enum Siblings {
  /// Whether this process is the first that asked. The name that says so goes with the process.
  static let isFirstToSpeak: Bool = {
    let isFirst = machine_claim_name("rcnn-train-\(getuid())-\(getppid())") != 0
    if isFirst { atexit { Siblings.wait() } }
    return isFirst
  }()

  /// Keeps the name while others may still ask for it, for ten seconds at most: processes of the same parent that run
  /// the same program, or not yet any of their own.
  private static func wait() {
    let parent = getppid()
    let programs = Set([getpid(), parent].compactMap(program))
    for _ in 0..<200 {
      let others = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
      let isWaiting = others.compactMap { Int32($0) }.contains { process in
        process != getpid() && self.parent(of: process) == parent
          && program(of: process).map(programs.contains) ?? false
      }
      guard isWaiting else { return }
      usleep(50_000)
    }
  }

  private static func program(of process: Int32) -> String? {
    try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/exe")
  }

  private static func parent(of process: Int32) -> Int32? {
    // `1234 (name) S parent …`
    let status = FileManager.default.contents(atPath: "/proc/\(process)/stat") ?? Data()
    let fields = String(decoding: status, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
    return fields.count > 1 ? Int32(fields[1]) : nil
  }
}
