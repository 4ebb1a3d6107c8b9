import Foundation

/// Writes and reads a checkpoint's bytes so that at no instant the newest good checkpoint is gone: under a new name,
/// synced, read back, and only then renamed.
public enum CheckpointFile {
  /// Puts `image` at `path`. A process that is killed leaves either the old file or the new one.
  public static func write(_ image: [UInt8], to path: String) throws(CheckpointError) {
    removeLeftovers(of: path)
    let temporary = temporaryName(for: path)
    do throws(CheckpointError) {
      try checkSpace(for: image.count, path: path)
      try writeSynced(image, to: temporary, path: path)
      try verify(temporary, holds: image, path: path)
      guard rename(temporary, path) == 0 else { throw failure("renamed to its final name", path) }
    } catch {
      unlink(temporary)
      throw error
    }
    try syncDirectory(of: path)
  }

  /// Makes `link` (`work_dirs/x/latest.h5`) a symbolic link to `name` (`epoch_3.h5`) in its own directory; whoever
  /// opens it meanwhile gets the old one or the new one.
  public static func link(_ link: String, to name: String) throws(CheckpointError) {
    removeLeftovers(of: link)
    let temporary = temporaryName(for: link)
    guard symlink(name, temporary) == 0, rename(temporary, link) == 0 else {
      let error = failure("linked", link)
      unlink(temporary)
      throw error
    }
    try syncDirectory(of: link)
  }

  /// The bytes of a checkpoint. Only rank 0 reads; the others get parameters from it.
  public static func read(_ path: String) throws(CheckpointError) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      throw CheckpointError(
        description: "\(path): error: the checkpoint cannot be opened: \(reason(errno)); check the path",
        exitCode: errno == ENOENT ? 66 : 74)
    }
    defer { close(file) }
    var image: [UInt8] = []
    image.reserveCapacity(Int(max(0, lseek(file, 0, SEEK_END))))
    lseek(file, 0, SEEK_SET)
    try forEachPart(of: file, path: path) { image += $0 }
    return image
  }

  /// What a part of a file may be: small beside a model, large beside a disk's block.
  private static let partSize = 16 << 20

  private static func writeSynced(
    _ image: [UInt8], to temporary: String, path: String
  ) throws(CheckpointError) {
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw failure("created", path) }
    defer { close(file) }
    var written = 0
    while written < image.count {
      let part = Array(image[written..<min(written + partSize, image.count)])
      let count = Foundation.write(file, part, part.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure("written (\(mebibytes(image.count)) needed)", path) }
      written += count
    }
    guard fsync(file) == 0 else { throw failure("synced to the disk", path) }
    #if os(Linux)
      // What is read back shall come from the disk.
      posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
    #endif
  }

  private static func verify(_ temporary: String, holds image: [UInt8], path: String) throws(CheckpointError) {
    let file = open(temporary, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw failure("read back", path) }
    defer { close(file) }
    var (place, isSame) = (0, true)
    try forEachPart(of: file, path: path) { part in
      isSame = isSame && place + part.count <= image.count && Array(image[place..<place + part.count]) == part
      place += part.count
    }
    guard isSame, place == image.count else {
      throw CheckpointError(
        description: "\(path): error: the checkpoint reads back other than it was written; the disk or its file "
          + "system is at fault. Older checkpoints are left as they were; choose another --work-dir",
        exitCode: 74)
    }
  }

  private static func forEachPart(
    of file: Int32, path: String, _ body: ([UInt8]) -> Void
  ) throws(CheckpointError) {
    var buffer = [UInt8](repeating: 0, count: partSize)
    while true {
      let count = Foundation.read(file, &buffer, partSize)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure("read", path) }
      if count == 0 { return }
      body(count == partSize ? buffer : Array(buffer[..<count]))
    }
  }

  /// A rename is on the disk once its directory is.
  private static func syncDirectory(of path: String) throws(CheckpointError) {
    let directory = open(sibling(of: path, named: "."), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw failure("synced with its directory", path) }
    defer { close(directory) }
    // Some network file systems cannot sync a directory, and say EINVAL.
    guard fsync(directory) == 0 || errno == EINVAL else { throw failure("synced with its directory", path) }
  }

  private static func checkSpace(for bytes: Int, path: String) throws(CheckpointError) {
    guard let free = freeBytes(beside: path), free < bytes else { return }
    errno = ENOSPC
    throw failure("written (\(mebibytes(bytes)) needed)", path)
  }

  private static func freeBytes(beside path: String) -> Int? {
    var space = statvfs()
    guard statvfs(sibling(of: path, named: "."), &space) == 0 else { return nil }
    return Int(space.f_bavail) * Int(space.f_frsize)
  }

  // Names. The host and the process in it tell whether whoever wrote it still lives.

  private static func temporaryName(for path: String) -> String { "\(leftoverStem(of: path))\(getpid()).partial" }

  private static func leftoverStem(of path: String) -> String {
    sibling(of: path, named: ".\((path as NSString).lastPathComponent).\(ProcessInfo.processInfo.hostName).")
  }

  private static func sibling(of path: String, named name: String) -> String {
    let directory = (path as NSString).deletingLastPathComponent
    return directory.isEmpty ? name : (directory as NSString).appendingPathComponent(name)
  }

  /// Removes what processes of this host that were killed while they wrote this checkpoint have left behind.
  private static func removeLeftovers(of path: String) {
    let stem = (leftoverStem(of: path) as NSString).lastPathComponent
    let names = (try? FileManager.default.contentsOfDirectory(atPath: sibling(of: path, named: "."))) ?? []
    for name in names where name.hasPrefix(stem) && name.hasSuffix(".partial") {
      guard let process = Int32(name.dropFirst(stem.count).dropLast(".partial".count)) else { continue }
      let isDead = process == getpid() || kill(process, 0) != 0 && errno == ESRCH
      if isDead { unlink(sibling(of: path, named: name)) }
    }
  }

  // Messages.

  private static func failure(_ what: String, _ path: String) -> CheckpointError {
    let code = errno
    let remedy =
      switch code {
      case ENOSPC, EDQUOT:
        "\(freeBytes(beside: path).map { "\(mebibytes($0)) are free; " } ?? "")free some space or choose another --work-dir"
      case EFBIG: "raise the limit (ulimit -f) or choose another --work-dir"
      case EACCES, EPERM, EROFS: "choose a --work-dir that you may write to"
      case ENOENT, ENOTDIR: "make its directory, or choose another --work-dir"
      default: "check the file system, or choose another --work-dir"
      }
    return CheckpointError(
      description: "\(path): error: the checkpoint could not be \(what): \(reason(code)); \(remedy). "
        + "Older checkpoints are left as they were",
      exitCode: 74)
  }

  private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

  private static func mebibytes(_ bytes: Int) -> String { "\((bytes + (1 << 20) - 1) >> 20) MiB" }
}
