import Foundation
import Testing

/// A folder with files in it, which goes when the test is over, and archives of them.
final class PackedFolder {
  let root = FileManager.default.temporaryDirectory.appendingPathComponent("tar-\(UUID().uuidString)").path

  /// - Parameter files: the content of each, by its path below `images`.
  init(_ files: [(name: String, content: [UInt8])] = []) throws {
    try FileManager.default.createDirectory(atPath: "\(root)/images", withIntermediateDirectories: true)
    for file in files {
      let path = "\(root)/images/\(file.name)"
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try Data(file.content).write(to: URL(fileURLWithPath: path))
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  func path(_ name: String) -> String { "\(root)/\(name)" }

  /// Runs the system's tar in the folder.
  func tar(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["tar", "-C", root] + arguments
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "tar \(arguments)")
  }

  func write(_ bytes: [UInt8], to name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
  }

  func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path(name)))) }
}

/// Members of a tar archive byte by byte, where the system's tar would not write them (POSIX.1-2017, pax).
enum Tar {
  static let end = [UInt8](repeating: 0, count: 1024)

  static func member(
    _ name: String, _ content: [UInt8] = [], type: Character = "0", link: String = "", size: [UInt8]? = nil
  ) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ bytes: some Sequence<UInt8>, at place: Int) {
      for (offset, byte) in bytes.enumerated() { header[place + offset] = byte }
    }
    put(name.utf8, at: 0)
    put("0000644\0".utf8, at: 100)
    let digits = String(content.count, radix: 8)
    put(size ?? Array((String(repeating: "0", count: 11 - digits.count) + digits + "\0").utf8), at: 124)
    put(String(type).utf8, at: 156)
    put(link.utf8, at: 157)
    put("ustar\u{0}00".utf8, at: 257)
    put([UInt8](repeating: 32, count: 8), at: 148)
    let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
    put((String(repeating: "0", count: 6 - sum.count) + sum + "\0 ").utf8, at: 148)
    return header + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  }
}
