import Foundation

/// Whether all of these programs are on the path; for tests that are skipped, and say so, where one is missing.
public func areInstalled(_ programs: String...) -> Bool {
  let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
  return programs.allSatisfy { name in
    folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }
  }
}
