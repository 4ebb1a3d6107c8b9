internal import CMachine
import Foundation

/// Files that are there as a whole or not at all: written under a new name beside their own, and then renamed. A process
/// that is killed leaves either the old file or the new one.
public enum WholeFile {
  /// How sure it is that the file is on the disk afterwards.
  public enum Safety: Int, Comparable, Sendable {
    /// It is never seen half written.
    case renamed
    /// It also outlives a power cut.
    case synced
    /// It was also read back and compared.
    case verified

    public static func < (one: Safety, other: Safety) -> Bool { one.rawValue < other.rawValue }
  }

  /// Puts `bytes` at `path`. Where it throws, what was there before is still there.
  public static func write(
    _ bytes: some ContiguousBytes, to path: String, safety: Safety = .synced
  ) throws(FileError) {
    // A signal that ends the process leaves nothing half written.
    machine_hold_signals()
    defer { machine_release_signals() }
    let temporary = temporaryName(for: path)
    if safety > .renamed { removeLeftovers(of: path) } else { unlink(temporary) }
    do throws(FileError) {
      let file = try FileStream(creating: temporary, isNew: true)
      try file.write(bytes)
      if safety > .renamed { try file.sync() }
      try file.close()
      if safety == .verified { try verify(temporary, holds: bytes) }
      guard rename(temporary, path) == 0 else { throw FileError(.renaming) }
    } catch {
      unlink(temporary)
      throw error
    }
    if safety > .renamed { try syncDirectory(of: path) }
  }

  public static func write(_ text: String, to path: String, safety: Safety = .synced) throws(FileError) {
    try write(Array(text.utf8), to: path, safety: safety)
  }

  /// Makes `link` (`work_dirs/x/latest.h5`) a symbolic link to `name` (`epoch_3.h5`) in its own directory; whoever
  /// opens it meanwhile gets the old one or the new one.
  public static func link(_ link: String, to name: String) throws(FileError) {
    removeLeftovers(of: link)
    let temporary = temporaryName(for: link)
    guard symlink(name, temporary) == 0, rename(temporary, link) == 0 else {
      let error = FileError(.linking)
      unlink(temporary)
      throw error
    }
    try syncDirectory(of: link)
  }

  /// The bytes that are free where `path` is to be; nil where the system doesn't say.
  public static func freeBytes(beside path: String) -> Int? {
    var space = statvfs()
    guard statvfs(sibling(of: path, named: "."), &space) == 0 else { return nil }
    return Int(clamping: UInt64(space.f_bavail).multipliedReportingOverflow(by: UInt64(space.f_frsize)).partialValue)
  }

  private static func verify(_ path: String, holds bytes: some ContiguousBytes) throws(FileError) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw FileError(.readingBack) }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 16 << 20)
    let error: FileError? = bytes.withUnsafeBytes { bytes in
      var place = 0
      while true {
        let count = read(file, &buffer, buffer.count)
        if count < 0, errno == EINTR { continue }
        if count < 0 { return FileError(.readingBack) }
        if count == 0 { return place == bytes.count ? nil : FileError(.comparing, code: 0) }
        guard count <= bytes.count - place, memcmp(buffer, bytes.baseAddress! + place, count) == 0 else {
          return FileError(.comparing, code: 0)
        }
        place += count
      }
    }
    if let error { throw error }
  }

  /// A rename is on the disk once its directory is.
  private static func syncDirectory(of path: String) throws(FileError) {
    let directory = open(sibling(of: path, named: "."), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw FileError(.syncingDirectory) }
    defer { close(directory) }
    // Some network file systems cannot sync a directory, and say EINVAL.
    guard fsync(directory) == 0 || errno == EINVAL else { throw FileError(.syncingDirectory) }
  }
}

// Names. The host and the process in it tell whether whoever wrote it still lives.
extension WholeFile {
  private static let host = ProcessInfo.processInfo.hostName

  private static func temporaryName(for path: String) -> String { "\(leftoverStem(of: path))\(getpid()).partial" }

  private static func leftoverStem(of path: String) -> String {
    sibling(of: path, named: ".\((path as NSString).lastPathComponent).\(host).")
  }

  private static func sibling(of path: String, named name: String) -> String {
    let directory = Folder.above(path)
    return directory.isEmpty ? name : (directory as NSString).appendingPathComponent(name)
  }

  /// Removes what processes of this host that were killed while they wrote this file have left behind.
  private static func removeLeftovers(of path: String) {
    let stem = (leftoverStem(of: path) as NSString).lastPathComponent
    let names = (try? FileManager.default.contentsOfDirectory(atPath: sibling(of: path, named: "."))) ?? []
    for name in names where name.hasPrefix(stem) && name.hasSuffix(".partial") {
      guard let process = Int32(name.dropFirst(stem.count).dropLast(".partial".count)) else { continue }
      let isDead = process == getpid() || kill(process, 0) != 0 && errno == ESRCH
      if isDead { unlink(sibling(of: path, named: name)) }
    }
  }
}
