import Foundation
import Primitives
import Testing

@Suite struct WholeFileTests {
  /// A folder that goes when the test is over.
  private final class Directory {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("whole-\(UUID().uuidString)").path
    init() throws { try Folder.make(path) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }
    func read(_ name: String) -> [UInt8] { [UInt8](FileManager.default.contents(atPath: "\(path)/\(name)") ?? Data()) }
  }

  @Test(arguments: [WholeFile.Safety.renamed, .synced, .verified]) func replacesAFile(_ safety: WholeFile.Safety) throws
  {
    let directory = try Directory()
    for bytes in [[1, 2, 3], [], [UInt8](repeating: 7, count: (16 << 20) + 5)] {
      try WholeFile.write(bytes, to: "\(directory.path)/a", safety: safety)
      #expect(directory.read("a") == bytes)
      #expect(directory.names == ["a"])
    }
  }

  @Test(arguments: [WholeFile.Safety.renamed, .synced, .verified])
  func aFolderInItsPlaceStays(_ safety: WholeFile.Safety) throws {
    let directory = try Directory()
    try Folder.make("\(directory.path)/a/b")
    let error = #expect(throws: FileError.self) { try WholeFile.write("x", to: "\(directory.path)/a", safety: safety) }
    #expect(error?.step == .renaming)
    #expect(directory.names == ["a"])
  }

  @Test func saysWhatFailed() {
    let error = #expect(throws: FileError.self) { try WholeFile.write("x", to: "/dev/null/a") }
    #expect(error?.step == .creating && error?.code == ENOTDIR && error?.reason == "Not a directory")
    #expect(throws: FileError.self) { try Folder.make("/dev/null/a") }
  }

  @Test func whatWasLeftBehindIsNoObstacle() throws {
    let directory = try Directory()
    let left = "\(directory.path)/.a.\(ProcessInfo.processInfo.hostName).\(getpid()).partial"
    for safety in [WholeFile.Safety.renamed, .synced] {
      #expect(FileManager.default.createFile(atPath: left, contents: Data([9])))
      try WholeFile.write([UInt8(1)], to: "\(directory.path)/a", safety: safety)
      #expect(directory.names == ["a"] && directory.read("a") == [1])
    }
  }

  @Test func aStreamIsWrittenFromItsBeginning() throws {
    let directory = try Directory()
    for text in ["a long line\n", "b\n"] {
      let stream = try FileStream(creating: "\(directory.path)/log")
      try stream.write(text)
      try stream.write("end\n")
      #expect(directory.read("log") == Array("\(text)end\n".utf8))
      try stream.close()
    }
    let error = #expect(throws: FileError.self) { try FileStream(creating: "\(directory.path)/log", isNew: true) }
    #expect(error?.code == EEXIST)
  }
}
