import Foundation
import TestSupport
import Testing

/// `rcnn-train` as a user starts it, in a folder of its own.
struct Program {
  let folder: TemporaryFolder

  /// Next to the test bundle.
  static let executable: String = {
    let tests =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("rcnn-train").path
  }()

  /// Runs to the end; nil ranks: without mpirun. A run that hangs is killed, and fails the test.
  @discardableResult
  func run(
    _ arguments: [String], ranks: Int? = nil, environment: [String: String] = [:], shell: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Outcome {
    let running = try start(arguments, ranks: ranks, environment: environment, shell: shell)
    return try running.wait(sourceLocation: sourceLocation)
  }

  /// Runs to the end and expects exit code 0.
  @discardableResult
  func succeed(
    _ arguments: [String], ranks: Int? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Outcome {
    let outcome = try run(arguments, ranks: ranks, sourceLocation: sourceLocation)
    try #require(outcome.code == 0, "\(arguments): \(outcome)", sourceLocation: sourceLocation)
    return outcome
  }

  /// - Parameter shell: what bash does on each rank before the program, for example `ulimit -f 100`.
  func start(
    _ arguments: [String], ranks: Int? = nil, environment: [String: String] = [:], shell: String? = nil
  ) throws -> RunningProgram {
    var command = [Self.executable] + arguments
    if let shell { command = ["/bin/bash", "-c", "\(shell); exec \"$@\"", "bash"] + command }
    if let ranks {
      command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", "\(ranks)"] + command
    }
    return try RunningProgram(command, in: folder, environment: environment)
  }
}

/// What a run left behind.
struct Outcome: CustomStringConvertible {
  let code: Int32
  /// The signal that ended the process; nil where it ended by itself.
  var signal: Int32?
  let output: String
  let errors: String

  var description: String { "exit code \(code)\n\(output.suffix(3000))\n\(errors.suffix(3000))" }
}

/// A process with its output in files, so that it never waits for a reader.
final class RunningProgram {
  private let process = Process()
  private let outputPath: String
  private let errorPath: String
  private let start = Date()

  init(_ command: [String], in folder: TemporaryFolder, environment: [String: String]) throws {
    let stem = folder.path("run-\(UUID().uuidString)")
    (outputPath, errorPath) = ("\(stem).out", "\(stem).err")
    for path in [outputPath, errorPath] { _ = FileManager.default.createFile(atPath: path, contents: nil) }
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.currentDirectoryURL = URL(fileURLWithPath: folder.root)
    let basics = [
      "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMP_NUM_THREADS": "1",
    ]
    process.environment = ProcessInfo.processInfo.environment.merging(basics) { $1 }.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle(forWritingAtPath: outputPath)
    process.standardError = FileHandle(forWritingAtPath: errorPath)
    // Test threads block all signals, which their children would inherit.
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try process.run()
  }

  deinit { if process.isRunning { end() } }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Kills the ranks as a machine that loses power does, but leaves mpirun.
  func killRanks() { for rank in ranks { kill(rank, SIGKILL) } }

  /// The processes of the program below this one, through scripts and mpirun.
  private var ranks: [Int32] {
    var (found, open) = ([Int32](), [process.processIdentifier])
    while let parent = open.popLast() {
      for child in children(of: parent) {
        let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(child)/exe")
        if path == Program.executable { found.append(child) } else { open.append(child) }
      }
    }
    return found
  }

  /// The ranks that have a handler for a signal.
  func ranksCatching(_ signal: Int32) -> [Int32] { ranks.filter { Self.catches(signal, in: $0) } }

  /// Whether the process itself, without mpirun, has one.
  func catches(_ signal: Int32) -> Bool { Self.catches(signal, in: process.processIdentifier) }

  private static func catches(_ signal: Int32, in process: Int32) -> Bool {
    let status = String(
      decoding: FileManager.default.contents(atPath: "/proc/\(process)/status") ?? Data(), as: UTF8.self)
    let mask = status.split(separator: "\n").first { $0.hasPrefix("SigCgt:") }?.split(separator: "\t").last
    return mask.flatMap { UInt64($0, radix: 16) }.map { $0 >> (signal - 1) & 1 == 1 } ?? false
  }

  /// When a process counts as hanging, in seconds: far beyond what it takes on a slow machine.
  static let hang = 900.0

  /// Waits until something is so; fails where the process ends or hangs.
  func wait(until condition: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let deadline = Date().addingTimeInterval(Self.hang)
    while !condition() {
      guard process.isRunning, Date() < deadline else {
        end()
        try #require(condition(), "it never came: \(outcome())", sourceLocation: sourceLocation)
        return
      }
      usleep(5000)
    }
  }

  /// Text that was printed so far.
  var output: String { text(outputPath) }
  var errors: String { text(errorPath) }

  func wait(sourceLocation: SourceLocation = #_sourceLocation) throws -> Outcome {
    while process.isRunning {
      if Date().timeIntervalSince(start) > Self.hang {
        end()
        Issue.record("it hangs: \(process.arguments ?? []): \(outcome())", sourceLocation: sourceLocation)
        break
      }
      usleep(10_000)
    }
    process.waitUntilExit()
    return outcome()
  }

  private func end() {
    let ranks = ranks
    send(SIGTERM)
    for _ in 0..<30 where process.isRunning { usleep(100_000) }
    for process in ranks + [process.processIdentifier] { kill(process, SIGKILL) }
    process.waitUntilExit()
  }

  private func outcome() -> Outcome {
    let isKilled = !process.isRunning && process.terminationReason == .uncaughtSignal
    return Outcome(
      code: process.isRunning ? -1 : process.terminationStatus, signal: isKilled ? process.terminationStatus : nil,
      output: text(outputPath), errors: text(errorPath))
  }

  private func text(_ path: String) -> String {
    TestSupport.text(ofLauncher: FileManager.default.contents(atPath: path) ?? Data())
  }

  private func children(of parent: Int32) -> [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { Int32($0) }.filter { process in
      // `1234 (name) S parent …`
      let status = FileManager.default.contents(atPath: "/proc/\(process)/stat") ?? Data()
      let fields = String(decoding: status, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
      return fields.count > 1 && Int32(fields[1]) == parent
    }
  }
}

/// A folder that goes when the test is over.
final class TemporaryFolder {
  let root: String

  init() throws {
    root = FileManager.default.temporaryDirectory.appendingPathComponent("rcnn-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  func path(_ name: String) -> String { "\(root)/\(name)" }
  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }
  func write(_ text: String, to name: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path(name))) }
  func read(_ name: String) throws -> [UInt8] { try [UInt8](Data(contentsOf: URL(fileURLWithPath: path(name)))) }
  func names(in name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(name)).sorted()
  }
}
