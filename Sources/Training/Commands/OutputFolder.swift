import Foundation
import Primitives

/// Files and folders that rank 0 writes besides checkpoints. `option`: what says where, for messages.
enum OutputFolder {
  /// - Throws: `RunError` with the reason.
  static func make(_ path: String, option: String = "--work-dir") throws(RunError) {
    do { try Folder.make(path) } catch { throw .cannotWrite(path, error.reason, option) }
  }

  /// Puts a text at `path` as a whole.
  /// - Throws: `RunError` with the reason.
  static func write(_ text: String, to path: String, option: String = "--work-dir") throws(RunError) {
    do { try WholeFile.write(text, to: path) } catch { throw .cannotWrite(path, error.reason, option) }
  }

  /// Looks whether a file can be written, before what is to stand in it takes its time. Its folder is made.
  /// - Throws: `RunError` with the reason.
  static func requireWritable(_ path: String, option: String) throws(RunError) {
    let folder = Folder.above(path)
    try make(folder, option: option)
    guard !Folder.exists(path) else { throw .cannotWrite(path, String(cString: strerror(EISDIR)), option) }
    guard access(folder.isEmpty ? "." : folder, W_OK) == 0 else {
      throw .cannotWrite(path, String(cString: strerror(errno)), option)
    }
  }

  /// A log, from its beginning on.
  /// - Throws: `RunError` with the reason.
  static func stream(_ path: String) throws(RunError) -> FileStream {
    do { return try FileStream(creating: path) } catch { throw .cannotWrite(path, error.reason) }
  }
}
