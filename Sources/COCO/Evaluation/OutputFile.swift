import Foundation

/// Files that are there as a whole or not at all.
enum OutputFile {
  /// Writes to a new name beside `path` and renames. A full disk leaves what was there before.
  /// - Parameter waitsForDisk: also a power cut right afterwards leaves the whole file.
  static func write(_ data: Data, to path: String, waitsForDisk: Bool = true) throws {
    let temporary = "\(path).\(ProcessInfo.processInfo.processIdentifier).part"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard descriptor >= 0 else { throw OutputError(path: path, code: errno) }
    do {
      try write(data, to: descriptor, path: path, waitsForDisk)
      guard rename(temporary, path) == 0 else { throw OutputError(path: path, code: errno) }
    } catch {
      unlink(temporary)
      throw error
    }
  }

  private static func write(_ data: Data, to descriptor: Int32, path: String, _ waitsForDisk: Bool) throws {
    var rest = data[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw closing(descriptor, path) }
      rest = rest.dropFirst(count)
    }
    if waitsForDisk, fsync(descriptor) != 0 { throw closing(descriptor, path) }
    guard close(descriptor) == 0 else { throw OutputError(path: path, code: errno) }
  }

  private static func closing(_ descriptor: Int32, _ path: String) -> OutputError {
    let error = OutputError(path: path, code: errno)
    close(descriptor)
    return error
  }
}

/// A file that could not be written.
public struct OutputError: Error, CustomStringConvertible, Equatable {
  public let path: String
  public let reason: String

  init(path: String, reason: String) { (self.path, self.reason) = (path, reason) }

  init(path: String, code: Int32) { self.init(path: path, reason: String(cString: strerror(code))) }

  public var description: String { "\(path): error: the file cannot be written: \(reason)" }
}
