import Foundation

/// A file that is written from its beginning on: a log, or a file that `WholeFile` puts in its place afterwards.
public final class FileStream {
  private var descriptor: Int32

  /// Creates the file, or empties one that is there.
  /// - Parameters:
  ///   - path: of the file, in a folder that is there.
  ///   - isNew: a file that is there is an error instead.
  public init(creating path: String, isNew: Bool = false) throws(FileError) {
    descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (isNew ? O_EXCL : O_TRUNC), 0o644)
    guard descriptor >= 0 else { throw FileError(.creating) }
  }

  /// Opens a file, or creates it, to write behind what it holds.
  public init(appendingTo path: String) throws(FileError) {
    descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0o644)
    guard descriptor >= 0 else { throw FileError(.creating) }
  }

  deinit { if descriptor >= 0 { Foundation.close(descriptor) } }

  /// Writes all bytes behind what was written before.
  public func write(_ bytes: some ContiguousBytes) throws(FileError) {
    let code: Int32 = bytes.withUnsafeBytes { bytes in
      var written = 0
      while written < bytes.count {
        let count = Foundation.write(descriptor, bytes.baseAddress! + written, min(bytes.count - written, 16 << 20))
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return count < 0 ? errno : ENOSPC }
        written += count
      }
      return 0
    }
    guard code == 0 else { throw FileError(.writing, code: code) }
  }

  public func write(_ text: String) throws(FileError) { try write(Array(text.utf8)) }

  /// Waits until the disk has it, and forgets it, so that what is read back comes from the disk.
  public func sync() throws(FileError) {
    guard fsync(descriptor) == 0 else { throw FileError(.syncing) }
    #if os(Linux)
      posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
    #endif
  }

  /// Some file systems tell only here that a file could not be written.
  public func close() throws(FileError) {
    let closing = descriptor
    descriptor = -1
    guard Foundation.close(closing) == 0 else { throw FileError(.writing) }
  }
}
