import Foundation
import Primitives
import Testing

@Suite struct LockFileTests {
  private let folder: URL
  private var path: String { folder.appendingPathComponent(".lock").path }

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("lock-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private var exists: Bool { FileManager.default.fileExists(atPath: path) }

  private func text() throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  /// A lock of a process that differs in these lines.
  private func write(_ changes: [String: String]) throws {
    let lock = try LockFile(path)
    let lines = try text().split(separator: "\n").map { line in
      let key = String(line.prefix { $0 != " " })
      return changes[key].map { "\(key) \($0)" } ?? String(line)
    }
    lock.release()
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: path))
  }

  private func failure(_ timing: LockFile.Timing) -> LockFile.Failure? {
    do {
      try LockFile(path, timing: timing).release()
      return nil
    } catch { return error }
  }

  private func timing(renewal: Double = 0.1, patience: Double = 0.5, ending: Double = 0.2) -> LockFile.Timing {
    var timing = LockFile.Timing()
    (timing.renewal, timing.patience, timing.ending) = (renewal, patience, ending)
    return timing
  }

  @Test func aLivingProcessKeepsIt() throws {
    let lock = try LockFile(path)
    #expect(lock.isHeld && lock.predecessor == nil)
    guard case .taken(let owner?) = failure(timing()) else {
      Issue.record("two locks at a time")
      return
    }
    #expect(owner.hasPrefix("process \(getpid()) on \(ProcessInfo.processInfo.hostName), since 20"))
    lock.release()
    #expect(!exists && !lock.isHeld)
    #expect(failure(timing()) == nil && !exists)
  }

  @Test func itIsRenewed() throws {
    let lock = try LockFile(path, timing: timing())
    let first = try text()
    while try text() == first { usleep(10_000) }
    #expect(try text().count == first.count && lock.isHeld)
    lock.release()
  }

  @Test(arguments: [["process": "999999999"], ["start": "1"]])
  func aDeadProcessOfThisMachineLosesIt(_ changes: [String: String]) throws {
    try write(changes)
    let lock = try LockFile(path, timing: timing(patience: 1e9, ending: 1e9))
    #expect(lock.predecessor?.hasPrefix("process ") == true && lock.isHeld)
    lock.release()
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test(arguments: [["host": "elsewhere.org"], ["machine": "another-boot pid:[1]"], ["renewed": "x"]])
  func aForeignOneThatStandsStillIsDead(_ changes: [String: String]) throws {
    try write(changes)
    let lock = try LockFile(path, timing: timing(ending: 1e9))
    #expect(lock.predecessor != nil && lock.isHeld)
    lock.release()
  }

  /// Its counter goes up, so that nobody looks at the time of day on either machine.
  @Test func aForeignOneThatMovesIsAlive() throws {
    try write(["host": "elsewhere.org", "since": "2001-01-01T00:00:00Z"])
    let (path, before) = (path, try text())
    let renewing = Thread {
      usleep(300_000)
      try? Data(before.replacing(#/renewed \d+/#, with: "renewed 0000000007").utf8).write(
        to: URL(fileURLWithPath: path))
    }
    renewing.start()
    guard case .taken(let owner) = failure(timing(patience: 600)) else {
      Issue.record("a living job's lock was taken")
      return
    }
    #expect(owner?.hasPrefix("process \(getpid()) on elsewhere.org, since 2001") == true)
    #expect(exists)
  }

  @Test func aStolenOneIsNoLongerHeld() throws {
    let lock = try LockFile(path)
    let before = try text()
    try Data(before.replacing("process \(getpid())", with: "process 7").utf8).write(to: URL(fileURLWithPath: path))
    #expect(!lock.isHeld)
    lock.release()
    #expect(exists, "it was another's")
  }

  @Test func aFolderThatIsNotThereIsAnError() {
    #expect(throws: LockFile.Failure.self) { try LockFile("/nowhere/.lock") }
  }
}
