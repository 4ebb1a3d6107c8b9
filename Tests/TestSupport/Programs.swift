import Foundation

/// Whether all of these programs are on the path; for tests that are skipped, and say so, where one is missing.
public func areInstalled(_ programs: String...) -> Bool {
  let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
  return programs.allSatisfy { name in
    folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }
  }
}

/// What processes printed under mpirun. That of Open MPI 5 puts zeros between what it hands on.
public func text(ofLauncher data: Data) -> String { String(decoding: data.filter { $0 != 0 }, as: UTF8.self) }
