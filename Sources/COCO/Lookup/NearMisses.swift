import Foundation
import Primitives

/// What a name that no file has may have been meant for: the mistakes that exports and copies between systems make. A
/// folder is listed once, and only so many of them, so that this ends soon whatever lies around.
final class NearMisses {
  private let folder: String
  private var listings: [String: FolderListing] = [:]
  private let archive: TarArchive?

  init(in folder: String, of archive: TarArchive? = nil) {
    self.archive = archive
    let length = folder.utf8.reversed().drop { $0 == UInt8(ascii: "/") }.count
    self.folder = length == 0 ? folder : String(decoding: folder.utf8.prefix(length), as: UTF8.self)
  }

  /// Listings of more folders are not made.
  private static let maximumListings = 200
  /// How many folders beside or below the image folder are looked into.
  private static let maximumNeighbours = 32

  /// "images/0.JPG is there: upper and lower case differ", or nil.
  func hint(for name: String) -> String? {
    if isDanglingLink(name) { return "a link to a file that does not exist" }
    let readings = Self.readings(of: name)
    for (reading, reason) in readings {
      if let found = resolve(reading, in: folder) { return hint(found, [reason]) }
    }
    for (reading, reason) in readings {
      if let (found, place) = elsewhere(reading) { return hint(found, [reason, place]) }
    }
    return nil
  }

  /// "images/0.JPG is there: upper and lower case differ", where the spelling alone differs, or nil.
  func spelling(of name: String) -> String? {
    guard let found = resolve(name, in: folder), found.spelling != nil else { return nil }
    return hint(found, [])
  }

  private func isDanglingLink(_ name: String) -> Bool {
    guard archive == nil else { return false }
    var status = stat()
    return lstat("\(folder)/\(name)", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  /// The name itself, and what it is once a foreign notation is undone.
  private static func readings(of name: String) -> [(name: String, reason: String?)] {
    var readings: [(name: String, reason: String?)] = [(name, nil)]
    func add(_ reading: String, _ reason: String) {
      guard readings.allSatisfy({ !$0.name.utf8.elementsEqual(reading.utf8) }) else { return }
      guard AnnotationRecords.fault(ofFileName: reading) == nil else { return }
      readings.append((reading, reason))
    }
    func slashes(_ name: String) -> String { name.replacing("\\", with: "/") }
    let decoded = name.removingPercentEncoding
    add(slashes(name), "the file says it with backslashes")
    if let decoded {
      add(decoded, "the file says it percent-encoded")
      add(slashes(decoded), "the file says it percent-encoded and with backslashes")
    }
    return readings
  }

  private struct Found {
    let path: String
    /// How it is spelt otherwise.
    var spelling: String?
  }

  private func hint(_ found: Found, _ reasons: [String?]) -> String {
    let reasons = (reasons + [found.spelling]).compactMap { $0 }
    let path = (archive.map { "\($0.path):" } ?? "") + found.path
    return "\(path) is there" + (reasons.isEmpty ? "" : ": \(reasons.joined(separator: "; "))")
  }

  /// A file or folder of this name or of one that is spelt alike.
  private func resolve(_ name: String, in folder: String) -> Found? {
    let parts = name.split(separator: "/").map(String.init).filter { $0 != "." }
    guard !parts.isEmpty, !parts.contains("..") else { return nil }
    var path = folder
    var spellings: [String] = []
    for part in parts {
      guard let actual = listing(of: path)?.name(like: part) else { return nil }
      if !actual.utf8.elementsEqual(part.utf8) {
        // Texts of one canonical form are equal.
        spellings.append(actual == part ? "its Unicode form differs (NFC, NFD)" : "upper and lower case differ")
      }
      path = path == "." ? actual : "\(path)/\(actual)"
    }
    return Found(path: path, spelling: spellings.first)
  }

  /// The file in another folder: with fewer folders in its name, below the image folder, above it, or beside it.
  private func elsewhere(_ name: String) -> (Found, String)? {
    let parts = name.split(separator: "/").map(String.init).filter { $0 != "." }
    guard let base = parts.last else { return nil }
    for place in parts.indices.dropLast() {
      let rest = parts[..<place] + parts[(place + 1)...]
      if let found = resolve(rest.joined(separator: "/"), in: folder) {
        return (found, "'file_name' has the folder '\(parts[place])' too many")
      }
    }
    for dropped in parts.indices.dropFirst() {
      if let found = resolve(parts[dropped...].joined(separator: "/"), in: folder) {
        return (found, "'file_name' has the folder '\(parts[..<dropped].joined(separator: "/"))' too many")
      }
    }
    for below in listing(of: folder)?.folders.prefix(Self.maximumNeighbours) ?? [] {
      let path = folder == "." ? below : "\(folder)/\(below)"
      if let found = resolve(name, in: path) ?? resolve(base, in: path) {
        return (found, "img_prefix or 'file_name' lacks the folder '\(below)'")
      }
    }
    let parent = folderAbove
    if let found = resolve(name, in: parent) ?? resolve(base, in: parent) {
      return (found, "img_prefix has a folder too many")
    }
    for beside in listing(of: parent)?.folders.prefix(Self.maximumNeighbours) ?? [] {
      let path = parent == "." ? beside : "\(parent)/\(beside)"
      if let found = resolve(base, in: path) { return (found, "in another folder") }
    }
    return nil
  }

  private var folderAbove: String {
    let above = Folder.above(folder)
    return above.isEmpty ? (folder == "." ? ".." : ".") : above
  }

  private func listing(of path: String) -> FolderListing? {
    if let known = listings[path] { return known }
    if let archive {
      // All at once, and only once.
      if listings.isEmpty { listings = FolderListing.all(of: archive.index) }
      return listings[path]
    }
    guard listings.count < Self.maximumListings else { return nil }
    let listing = FolderListing(path)
    listings[path] = listing
    return listing
  }
}

/// The names in a folder, to be found by what they look like.
private struct FolderListing {
  /// By the name in lower case; the keys of a dictionary of texts don't tell Unicode forms apart.
  private var names: [String: [String]] = [:]
  private(set) var folders: [String] = []

  private static let maximumCount = 1_000_000

  /// Empty where the folder can't be read.
  init(_ path: String) {
    guard let stream = opendir(path) else { return }
    defer { closedir(stream) }
    for _ in 0..<Self.maximumCount {
      guard let entry = readdir(stream) else { break }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      guard name != ".", name != ".." else { continue }
      add(name, isFolder: entry.pointee.d_type != UInt8(DT_REG))
    }
    folders.sort()
  }

  private init() {}

  private mutating func add(_ name: String, isFolder: Bool) {
    names[name.lowercased(), default: []].append(name)
    if isFolder, !name.hasPrefix(".") { folders.append(name) }
  }

  /// Of the folders of an archive, by their paths; "." is its root. (Names are sorted, and so are the folders.)
  static func all(of index: TarIndex) -> [String: FolderListing] {
    var listings: [String: FolderListing] = [".": FolderListing()]
    var known: Set<[UInt8]> = []
    func add(_ path: String, isFolder: Bool) {
      guard known.insert(Array(path.utf8)).inserted else { return }
      let above = Folder.above(path)
      if !above.isEmpty { add(above, isFolder: true) }
      let name = path.utf8.dropFirst(above.isEmpty ? 0 : above.utf8.count + 1)
      listings[above.isEmpty ? "." : above, default: FolderListing()]
        .add(String(decoding: Array(name), as: UTF8.self), isFolder: isFolder)
    }
    for place in 0..<index.count { add(index[place].name, isFolder: index[place].kind == .folder) }
    return listings
  }

  /// The name itself, one in another Unicode form, or one in another case.
  func name(like name: String) -> String? {
    let alike = names[name.lowercased()] ?? []
    return alike.first { $0.utf8.elementsEqual(name.utf8) } ?? alike.first { $0 == name } ?? alike.min()
  }
}
