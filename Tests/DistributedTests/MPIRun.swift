import Foundation
import TestSupport

/// What came of a program.
struct Outcome {
  let code: Int32
  let output: String
  let errors: String

  var lines: [String] { output.split(separator: "\n").map(String.init).sorted() }
  /// What our own ranks said, without mpirun's remarks.
  var messages: [String] { errors.split(separator: "\n").map(String.init).filter { $0.contains("error:") }.sorted() }
}

/// `rank-probe`, as a user starts a program.
enum RankProbe {
  /// Under `mpirun -np RANKS`, with `options` for mpirun. 124: it hung, and was killed after ten minutes.
  static func mpirun(_ ranks: Int, _ arguments: String..., options: [String] = ["--oversubscribe"]) throws -> Outcome {
    let root = ["OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"]
    return try run(["mpirun", "-np", "\(ranks)"] + options + [path] + arguments, environment: root)
  }

  static func alone(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
    try run([path] + arguments, environment: environment)
  }

  /// As a launcher that Open MPI does not know starts processes: a shell's children, with these variables (`$i`: the
  /// number of the process). The code is the last one's.
  static func many(_ count: Int, _ arguments: String..., variables: String) throws -> Outcome {
    let script = "for i in $(seq 0 \(count - 1)); do \(variables) \"$@\" & done; wait $!; code=$?; wait; exit $code"
    return try run(["bash", "-c", script, "bash", path] + arguments, environment: [:])
  }

  /// Next to this test's own executable.
  private static var path: String {
    URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent("rank-probe").path
  }

  private static func run(_ command: [String], environment: [String: String]) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["timeout", "600"] + command
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    let texts = [output, errors].map { text(ofLauncher: $0.fileHandleForReading.readDataToEndOfFile()) }
    process.waitUntilExit()
    return Outcome(code: process.terminationStatus, output: texts[0], errors: texts[1])
  }
}
