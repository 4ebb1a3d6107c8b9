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

  /// The folder that a path stands in: of `a/b` and `a/b/` it is `a`, of `/a` and `/` it is `/`, of `a` the empty path.
  /// (Foundation's `deletingLastPathComponent` traps where the path is one letter.)
  public static func above(_ path: String) -> String {
    func withoutSlashes(_ path: Substring) -> Substring {
      let end = path.lastIndex { $0 != "/" }
      return end.map { path[...$0] } ?? path.prefix(1)
    }
    let path = withoutSlashes(path[...])
    guard path != "/" else { return "/" }
    return path.lastIndex(of: "/").map { String(withoutSlashes(path[...$0])) } ?? ""
  }
}
