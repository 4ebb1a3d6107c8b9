import Foundation

/// Reads HDF5 files whose bytes nobody vouches for. One flipped bit can make HDF5's library crash or read for ever, so that
/// a child process reads such a file, under limits of time and memory, and answers with plain arrays.
///
/// The child is this program once more, with the subcommand below, and never touches MPI.
public enum HDF5Child {
  /// The hidden subcommand of rcnn-train that reads a file on its standard input.
  public static let command = "read-hdf5"

  /// The child's exit code when its answer is the sentence about what is wrong with the file.
  private static let refused: Int32 = 65

  // The child.

  /// Reads standard input, answers on standard output, and ends the process. `name` is the file's, for errors.
  public static func run(name: String) -> Never {
    let image = [UInt8](FileHandle.standardInput.readDataToEndOfFile())
    limitThisProcess(fileSize: image.count)
    do {
      let maximumBytes = maximumBytes(fileSize: image.count)
      let message = try HDF5Contents.Message(reading: image, name: name, maximumBytes: maximumBytes)
      FileHandle.standardOutput.write(Data(try message.image()))
      exit(0)
    } catch {
      FileHandle.standardOutput.write(
        Data(CheckpointError(reading: name, of: image.count, error).description.utf8))
      exit(refused)
    }
  }

  /// What the arrays may take: a file may be compressed, but not a thousand times.
  private static func maximumBytes(fileSize: Int) -> Int { 16 * fileSize + 1 << 20 }

  private static func limitThisProcess(fileSize: Int) {
    let bytes = maximumBytes(fileSize: fileSize)
    limit(RLIMIT_CORE, 0)
    // A second for 16 MiB is a tenth of the speed of a slow machine.
    limit(RLIMIT_CPU, 5 + fileSize >> 24)
    limit(RLIMIT_FSIZE, bytes + 1 << 20)
    #if os(Linux)
      // Beyond what the program and its libraries have taken so far.
      let status = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
      let pages = status.split(separator: " ").first.flatMap { Int($0) } ?? 0
      limit(RLIMIT_AS, pages * Int(sysconf(Int32(_SC_PAGESIZE))) + 4 * bytes + 64 << 20)
    #endif
  }

  #if os(Linux)
    private static func limit(_ resource: __rlimit_resource, _ value: Int) {
      var limit = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
      setrlimit(__rlimit_resource_t(UInt32(resource.rawValue)), &limit)
    }
  #else
    private static func limit(_ resource: Int32, _ value: Int) {
      var limit = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
      setrlimit(resource, &limit)
    }
  #endif

  // The parent.

  /// What a child makes of a file.
  /// - Throws: `CheckpointError`, whatever the file does to the child.
  static func contents(of image: [UInt8], name: String) throws(CheckpointError) -> HDF5Contents {
    let (child, answer) = try ask(image, name: name)
    switch (child.reason, child.code) {
    case (.exit, 0):
      if let contents = try? HDF5Contents.Message.contents(answer) { return contents }
      throw damaged(name, "what HDF5's library made of it makes no sense")
    case (.exit, refused):
      throw CheckpointError(description: String(decoding: answer, as: UTF8.self), exitCode: .badData)
    case (.uncaughtSignal, SIGKILL), (.uncaughtSignal, SIGXCPU):
      throw damaged(name, "HDF5's library came to no end with it")
    case (.uncaughtSignal, let signal): throw damaged(name, "HDF5's library crashed on it (signal \(signal))")
    case (_, let code): throw damaged(name, "the process that was to read it ended with exit code \(code)")
    }
  }

  private static func damaged(_ name: String, _ how: String) -> CheckpointError {
    CheckpointError(
      description: "\(name): error: the checkpoint is damaged: \(how); use an older one", exitCode: .badData)
  }

  private static func ask(
    _ image: [UInt8], name: String
  ) throws(CheckpointError) -> (child: (reason: Process.TerminationReason, code: Int32), answer: [UInt8]) {
    do {
      // Files, and not pipes: neither process waits for the other.
      let (input, output) = (try TemporaryFile(Data(image)), try TemporaryFile(Data()))
      let process = Process()
      process.executableURL = URL(fileURLWithPath: executable)
      process.arguments = [command, name]
      process.environment = environment
      (process.standardInput, process.standardOutput) = (input.handle, output.handle)
      process.standardError = FileHandle.nullDevice
      try process.run()
      waitOrKill(process, seconds: 120 + Double(image.count >> 20))
      return ((process.terminationReason, process.terminationStatus), try output.contents())
    } catch {
      throw CheckpointError(
        description: """
          \(name): error: it holds no checksum of rcnn-train, so that a process of its own was to read it, and that can't be \
          started (\(executable): \(error)); free space in \(NSTemporaryDirectory()), or let 'rcnn-train' stand there
          """, exitCode: .io)
    }
  }

  /// The time that it computes is limited by itself; this one is for a process that waits.
  private static func waitOrKill(_ process: Process, seconds: Double) {
    let deadline = Date().addingTimeInterval(seconds)
    while process.isRunning, Date() < deadline { usleep(500) }
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
  }

  /// This program, or `rcnn-train` beside another one of the package's.
  private static var executable: String {
    let own = URL(fileURLWithPath: Bundle.main.executablePath ?? CommandLine.arguments[0]).resolvingSymlinksInPath()
    let isOther = ["rcnn-bench", "rank-probe"].contains(own.lastPathComponent) || own.pathExtension == "xctest"
    return (isOther ? own.deletingLastPathComponent().appendingPathComponent("rcnn-train") : own).path
  }

  /// Without what an MPI launcher sets, lest the child take itself for a rank; without OpenBLAS' threads.
  private static var environment: [String: String] {
    let launchers = ["OMPI_", "PMIX_", "PMI_", "PRTE_", "ORTE_", "HYDRA_"]
    var environment = ProcessInfo.processInfo.environment.filter { variable in
      !launchers.contains { variable.key.hasPrefix($0) }
    }
    environment["OPENBLAS_NUM_THREADS"] = "1"
    // A crash is an answer, and not to be looked into.
    environment["SWIFT_BACKTRACE"] = "enable=no"
    return environment
  }
}

/// A file that nobody else sees: it has no name any more.
private final class TemporaryFile {
  let handle: FileHandle

  init(_ contents: Data) throws {
    let path = "\(NSTemporaryDirectory())/rcnn-train-\(UUID().uuidString)"
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
    unlink(path)
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try handle.write(contentsOf: contents)
    try handle.seek(toOffset: 0)
  }

  func contents() throws -> [UInt8] {
    try handle.seek(toOffset: 0)
    return [UInt8](try handle.readToEnd() ?? Data())
  }
}
