import Foundation

/// Folders that are written to.
public enum Folder {
  /// Makes a folder and those above it, unless they are there. (`FileManager`'s error does not tell the reason.)
  public static func make(_ path: String) throws(FileError) {
    var parent = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      parent += "\(part)/"
      guard mkdir(parent, 0o777) == 0 || errno == EEXIST else { throw FileError(.creating) }
    }
  }
}
