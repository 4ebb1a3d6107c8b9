import Foundation

/// Folders that are written to or listed.
public enum Folder {
  /// Makes a folder and those above it, unless they are there. (`FileManager`'s error does not tell the reason.)
  public static func make(_ path: String) throws(FileError) {
    var parent = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      parent += "\(part)/"
      guard mkdir(parent, 0o777) == 0 || errno == EEXIST else { throw FileError(.creating) }
    }
    guard path.isEmpty || exists(path) else {
      errno = ENOTDIR
      throw FileError(.creating)
    }
  }

  public struct Entry: Sendable {
    public enum Kind: Sendable { case file, folder, link, other }

    public let name: String
    /// Of the entry itself: what a link leads to is not looked at.
    public let kind: Kind
  }

  /// A folder that can't be listed.
  public struct ListingError: Error, Sendable {
    /// The system's own words.
    public let reason: String
  }

  /// What stands in a folder, by name, byte by byte. Names that are hidden (`.…`) are left out, and those that are no UTF-8,
  /// which no path here can name, are counted.
  public static func entries(of path: String) throws(ListingError) -> (entries: [Entry], unnameable: Int) {
    guard let stream = opendir(path.isEmpty ? "." : path) else {
      throw ListingError(reason: String(cString: strerror(errno)))
    }
    defer { closedir(stream) }
    var entries: [Entry] = []
    var unnameable = 0
    while let entry = readdir(stream) {
      let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      guard bytes.first != UInt8(ascii: ".") else { continue }
      guard let name = String(validating: bytes, as: UTF8.self) else {
        unnameable += 1
        continue
      }
      entries.append(Entry(name: name, kind: kind(entry.pointee.d_type, join(path, name))))
    }
    entries.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    return (entries, unnameable)
  }

  /// Whether a path leads to a folder, be it through links.
  public static func exists(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The path of something in a folder, without a `./` before it.
  public static func join(_ folder: String, _ name: String) -> String {
    if folder.isEmpty || folder == "." || folder == "./" { return name }
    return folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
  }

  /// Some file systems don't say the kind in the listing.
  private static func kind(_ type: UInt8, _ path: @autoclosure () -> String) -> Entry.Kind {
    switch Int(type) {
    case Int(DT_REG): return .file
    case Int(DT_DIR): return .folder
    case Int(DT_LNK): return .link
    case Int(DT_UNKNOWN):
      var status = stat()
      guard lstat(path(), &status) == 0 else { return .other }
      switch status.st_mode & S_IFMT {
      case S_IFREG: return .file
      case S_IFDIR: return .folder
      case S_IFLNK: return .link
      default: return .other
      }
    default: return .other
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
