import Foundation
import Testing
import Training

@Suite(.serialized) struct CheckpointFileTests {
  private func error(_ body: () throws -> Void) -> CheckpointError? {
    do {
      try body()
      return nil
    } catch { return error as? CheckpointError }
  }

  @Test(arguments: [0, 1, 16 << 20, (16 << 20) + 1, 40 << 20]) func roundTrip(_ count: Int) throws {
    let directory = try Scratch()
    let image = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    try CheckpointFile.write(image, to: directory.path + "/epoch_1.h5")
    #expect(try CheckpointFile.read(directory.path + "/epoch_1.h5") == image)
    #expect(directory.names == ["epoch_1.h5"])
  }

  @Test func latestFollows() throws {
    let directory = try Scratch()
    for epoch in 1...3 {
      try CheckpointFile.write([UInt8(epoch)], to: "\(directory.path)/epoch_\(epoch).h5")
      try CheckpointFile.link(directory.path + "/latest.h5", to: "epoch_\(epoch).h5")
      #expect(try CheckpointFile.read(directory.path + "/latest.h5") == [UInt8(epoch)])
    }
    #expect(directory.names == ["epoch_1.h5", "epoch_2.h5", "epoch_3.h5", "latest.h5"])
    let target = try FileManager.default.destinationOfSymbolicLink(atPath: directory.path + "/latest.h5")
    #expect(target == "epoch_3.h5")
  }

  @Test func aMissingFileIsInputMissing() throws {
    let missing = error { _ = try CheckpointFile.read("nowhere/epoch_1.h5") }
    #expect(
      missing?.description == "nowhere/epoch_1.h5: error: the checkpoint cannot be opened: No such file or directory; "
        + "check the path")
    #expect(missing?.exitCode == .inputMissing)
  }

  @Test func aMissingDirectoryIsSaid() throws {
    let missing = error { try CheckpointFile.write([1], to: "/nowhere/epoch_1.h5") }
    #expect(
      missing?.description == "/nowhere/epoch_1.h5: error: the checkpoint could not be created: No such file or "
        + "directory; make its directory, or choose another --work-dir. Older checkpoints are left as they were")
    #expect(missing?.exitCode == .io)
  }

  @Test(.enabled(if: getuid() != 0)) func anUnwritableDirectoryIsSaid() throws {
    let directory = try Scratch()
    chmod(directory.path, 0o555)
    let path = directory.path + "/epoch_1.h5"
    #expect(
      error { try CheckpointFile.write([1], to: path) }?.description
        == "\(path): error: the checkpoint could not be created: Permission denied; choose a --work-dir that you may "
        + "write to. Older checkpoints are left as they were")
  }

  /// Not even root writes there.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self/fd"))) func anImpossibleDirectoryIsSaid() {
    let impossible = error { try CheckpointFile.write([1], to: "/proc/self/epoch_1.h5") }
    #expect(impossible?.exitCode == .io)
    #expect(impossible?.description.hasPrefix("/proc/self/epoch_1.h5: error: the checkpoint could not be ") == true)
  }

  /// A limit on the size of files does what a full disk does: the write stops in the middle.
  @Test func theOldCheckpointOutlivesAFailedWrite() throws {
    let directory = try Scratch()
    let path = directory.path + "/epoch_1.h5"
    try CheckpointFile.write([1, 2, 3], to: path)
    signal(SIGXFSZ, SIG_IGN)
    var old = rlimit()
    getrlimit(__rlimit_resource_t(UInt32(RLIMIT_FSIZE.rawValue)), &old)
    var limit = old
    limit.rlim_cur = 20 << 20
    setrlimit(__rlimit_resource_t(UInt32(RLIMIT_FSIZE.rawValue)), &limit)
    let full = error { try CheckpointFile.write([UInt8](repeating: 7, count: 30 << 20), to: path) }
    setrlimit(__rlimit_resource_t(UInt32(RLIMIT_FSIZE.rawValue)), &old)
    #expect(
      full?.description == "\(path): error: the checkpoint could not be written (30 MiB needed): File too large; raise "
        + "the limit (ulimit -f) or choose another --work-dir. Older checkpoints are left as they were")
    #expect(full?.exitCode == .io)
    #expect(try CheckpointFile.read(path) == [1, 2, 3])
    #expect(directory.names == ["epoch_1.h5"], "the half-written file is left behind")
  }

  @Test func aKilledWriterLeavesAWholeFile() throws {
    let directory = try Scratch()
    let path = directory.path + "/epoch_1.h5"
    try CheckpointFile.write([UInt8](repeating: 0, count: 24 << 20), to: path)
    for round in 0..<12 {
      let (process, output) = (Process(), Pipe())
      process.executableURL = Scratch.rankProbe
      process.arguments = ["write", path]
      process.standardOutput = output
      try process.run()
      #expect(output.fileHandleForReading.availableData.isEmpty == false, "the writer wrote nothing")
      Thread.sleep(forTimeInterval: 0.007 * Double(round))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      let image = try CheckpointFile.read(path)
      #expect(image.count == 24 << 20 && image.allSatisfy { $0 == image[0] }, "cut off in round \(round)")
    }
    try CheckpointFile.write([1], to: path)
    try CheckpointFile.link(path + ".latest", to: "epoch_1.h5")
    #expect(directory.names == ["epoch_1.h5", "epoch_1.h5.latest"])
  }

  /// What a process leaves that is killed while it writes.
  @Test func leftoversOfTheDeadAreRemoved() throws {
    let directory = try Scratch()
    let host = ProcessInfo.processInfo.hostName
    let dead = "\(directory.path)/.epoch_1.h5.\(host).999999999.partial"
    let alive = "\(directory.path)/.epoch_1.h5.\(host).\(getppid()).partial"
    let foreign = "\(directory.path)/.epoch_1.h5.elsewhere.1.partial"
    for name in [dead, alive, foreign] { try Data([1]).write(to: URL(fileURLWithPath: name)) }
    try CheckpointFile.write([9], to: directory.path + "/epoch_1.h5")
    #expect(
      directory.names.map { "\(directory.path)/\($0)" } == [alive, foreign, directory.path + "/epoch_1.h5"].sorted())
  }
}
