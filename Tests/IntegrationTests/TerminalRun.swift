import Foundation
import Testing

/// The program with its output on a terminal, of 100 columns, and what would be seen there.
final class TerminalRun {
  private let process = Process()
  private let received = Received()
  private let isClosed = DispatchSemaphore(value: 0)

  private final class Received: @unchecked Sendable {
    private let lock = NSLock()
    private var bytes: [UInt8] = []
    func add(_ more: some Sequence<UInt8>) { lock.withLock { bytes += more } }
    var text: String { lock.withLock { String(decoding: bytes.filter { $0 != 0 }, as: UTF8.self) } }
  }

  init(_ arguments: [String], ranks: Int? = nil, in folder: TemporaryFolder) throws {
    // `posix_openpt`, `unlockpt` and `ptsname`, which Swift doesn't see.
    let ours = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    let (unlock, number): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
    var (isLocked, terminalNumber) = (Int32(0), Int32(0))
    try #require(ours >= 0 && ioctl(ours, unlock, &isLocked) == 0 && ioctl(ours, number, &terminalNumber) == 0)
    let theirs = open("/dev/pts/\(terminalNumber)", O_RDWR | O_NOCTTY | O_CLOEXEC)
    try #require(theirs >= 0)
    var size = winsize(ws_row: 25, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(ours, UInt(TIOCSWINSZ), &size)
    let command = ranks.map { ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", "\($0)"] } ?? []
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command + [Program.executable] + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.root)
    let basics = [
      "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMP_NUM_THREADS": "1",
    ]
    process.environment = ProcessInfo.processInfo.environment.merging(basics) { $1 }
    let terminal = FileHandle(fileDescriptor: theirs, closeOnDealloc: true)
    process.standardInput = FileHandle.nullDevice
    (process.standardOutput, process.standardError) = (terminal, terminal)
    // Test threads block all signals, which their children would inherit.
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try process.run()
    try terminal.close()
    Thread.detachNewThread { [received, isClosed] in
      var buffer = [UInt8](repeating: 0, count: 4096)
      while true {
        let count = read(ours, &buffer, buffer.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { break }
        received.add(buffer.prefix(count))
      }
      close(ours)
      isClosed.signal()
    }
  }

  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

  /// All bytes so far.
  var text: String { received.text }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Waits for text; fails where the program ends or hangs before.
  func wait(for text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let deadline = Date().addingTimeInterval(RunningProgram.hang)
    while !self.text.contains(text) {
      guard process.isRunning, Date() < deadline else { break }
      usleep(5000)
    }
    try #require(self.text.contains(text), "it never came: \(self.text)", sourceLocation: sourceLocation)
  }

  /// Waits for the end of the program, and of what it writes.
  func wait() -> Int32 {
    process.waitUntilExit()
    isClosed.wait()
    return process.terminationStatus
  }

  /// The lines as they stand at last; the last one is where the cursor is.
  var screen: [String] {
    var (lines, column) = ([[Character]()], 0)
    var rest = text.unicodeScalars.map(Character.init)[...]
    while let character = rest.popFirst() {
      switch character {
      case "\r": column = 0
      case "\n":
        lines.append([])
        column = 0
      case "\u{1B}":
        // `ESC [ K`, the only one there is.
        rest = rest.dropFirst(2)
        lines[lines.count - 1] = Array(lines[lines.count - 1].prefix(column))
      default:
        if column < lines[lines.count - 1].count {
          lines[lines.count - 1][column] = character
        } else {
          lines[lines.count - 1].append(character)
        }
        column += 1
      }
    }
    return lines.map { String($0) }
  }
}
