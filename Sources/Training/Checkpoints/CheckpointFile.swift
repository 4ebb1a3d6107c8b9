import Foundation
import Primitives

/// Writes and reads a checkpoint's bytes so that at no instant the newest good checkpoint is gone: under a new name,
/// synced, read back, and only then renamed.
public enum CheckpointFile {
  /// Puts `image` at `path`. A process that is killed leaves either the old file or the new one.
  /// - Parameters:
  ///   - image: all bytes of the file.
  ///   - path: where they are to stand.
  ///   - diskIsFull: the disk is taken to be full (`mpi.inject`).
  public static func write(_ image: [UInt8], to path: String, diskIsFull: Bool = false) throws(CheckpointError) {
    if diskIsFull { throw failure(.writing, code: ENOSPC, bytes: image.count, path) }
    if let free = WholeFile.freeBytes(beside: path), free < image.count {
      throw failure(.writing, code: ENOSPC, bytes: image.count, path)
    }
    do {
      try WholeFile.write(image, to: path, safety: .verified)
    } catch {
      throw failure(error.step, code: error.code, bytes: image.count, path)
    }
  }

  /// Makes `link` (`work_dirs/x/latest.h5`) a symbolic link to `name` (`epoch_3.h5`) in its own directory; whoever
  /// opens it meanwhile gets the old one or the new one.
  public static func link(_ link: String, to name: String) throws(CheckpointError) {
    do { try WholeFile.link(link, to: name) } catch { throw failure(error.step, code: error.code, bytes: 0, link) }
  }

  /// The bytes of a checkpoint. Only rank 0 reads; the others get parameters from it.
  public static func read(_ path: String) throws(CheckpointError) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else {
      throw CheckpointError(
        description: "\(path): error: the checkpoint cannot be opened: \(reason(errno)); check the path",
        exitCode: errno == ENOENT ? .inputMissing : .io)
    }
    defer { close(file) }
    var image = [UInt8](repeating: 0, count: try size(of: file, path: path))
    var filled = 0
    while filled < image.count {
      let count = image.withUnsafeMutableBytes {
        Foundation.read(file, $0.baseAddress! + filled, min($0.count - filled, 1 << 30))
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw CheckpointError(
          description: "\(path): error: the checkpoint could not be read: \(reason(errno)); check the file system",
          exitCode: .io)
      }
      if count == 0 { break }
      filled += count
    }
    image.removeLast(image.count - filled)
    return image
  }

  /// Of a regular file for which there is memory.
  private static func size(of file: Int32, path: String) throws(CheckpointError) -> Int {
    var status = stat()
    guard fstat(file, &status) == 0 else {
      throw CheckpointError(description: "\(path): error: it can't be looked at: \(reason(errno))", exitCode: .io)
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR:
      throw CheckpointError(
        description: "\(path): error: this is a folder, not a checkpoint; name a file in it", exitCode: .inputMissing)
    default:
      throw CheckpointError(description: "\(path): error: this is not a regular file", exitCode: .inputMissing)
    }
    let size = Int(status.st_size)
    guard let memory = malloc(max(1, size)) else {
      throw CheckpointError(
        description:
          "\(path): error: there is no memory for its \(mebibytes(size)); raise the limit (ulimit -v) or use "
          + "a machine with more", exitCode: .io)
    }
    free(memory)
    return size
  }

  // Messages.

  private static func failure(_ step: FileError.Step, code: Int32, bytes: Int, _ path: String) -> CheckpointError {
    let what: String
    switch step {
    case .creating: what = "created"
    case .writing: what = "written (\(mebibytes(bytes)) needed)"
    case .syncing: what = "synced to the disk"
    case .readingBack: what = "read back"
    case .renaming: what = "renamed to its final name"
    case .linking: what = "linked"
    case .syncingDirectory: what = "synced with its directory"
    case .comparing:
      return CheckpointError(
        description: "\(path): error: the checkpoint reads back other than it was written; the disk or its file "
          + "system is at fault. Older checkpoints are left as they were; choose another --work-dir",
        exitCode: .io)
    }
    return CheckpointError(
      description: "\(path): error: the checkpoint could not be \(what): \(reason(code)); \(remedy(for: code, path)). "
        + "Older checkpoints are left as they were",
      exitCode: .io, isPassing: [ENOSPC, EDQUOT, EIO, ESTALE].contains(code))
  }

  private static func remedy(for code: Int32, _ path: String) -> String {
    switch code {
    case ENOSPC, EDQUOT:
      let free = WholeFile.freeBytes(beside: path).map { "\(mebibytes($0)) are free; " } ?? ""
      return "\(free)free some space or choose another --work-dir"
    case EFBIG: return "raise the limit (ulimit -f) or choose another --work-dir"
    case EACCES, EPERM, EROFS: return "choose a --work-dir that you may write to"
    case ENOENT, ENOTDIR: return "make its directory, or choose another --work-dir"
    default: return "check the file system, or choose another --work-dir"
    }
  }

  private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

  private static func mebibytes(_ bytes: Int) -> String { "\((bytes + (1 << 20) - 1) >> 20) MiB" }
}
