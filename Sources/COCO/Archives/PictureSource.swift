import Foundation

/// Where the pictures of a data set are: in a folder, or in a folder of a tar archive.
public struct PictureSource: Sendable {
  private enum Place {
    case folder
    case archive(TarArchive)
  }

  private let place: Place
  /// On disk, or in the archive; "." for the working directory and for the archive's root.
  let folder: String
  /// What stands before a picture's name in messages.
  private let prefix: String

  /// - Parameter path: `img_prefix`: a folder, an archive, or an archive and a folder in it (`train.tar/train2017`).
  /// - Throws: `COCOError` where an archive can't be used. A folder that is missing is found where pictures are looked up.
  public init(_ path: String) throws { try self.init(path, index: nil) }

  /// - Parameter index: of the archive that the path names, from another process.
  package init(_ path: String, index: TarIndex?) throws {
    guard let (archive, folder) = Self.archive(in: path) else {
      (place, self.folder) = (.folder, path.isEmpty ? "." : path)
      prefix = path.isEmpty ? "./" : path.hasSuffix("/") ? path : "\(path)/"
      return
    }
    place = .archive(try TarArchive(archive, index: index))
    self.folder = folder.isEmpty ? "." : folder
    prefix = folder.isEmpty ? "\(archive):" : "\(archive):\(folder)/"
  }

  /// The regular file in a path, and what comes after it.
  private static func archive(in path: String) -> (String, folder: String)? {
    var parts = path.split(separator: "/", omittingEmptySubsequences: true)[...]
    let root = path.hasPrefix("/") ? "/" : ""
    var below: [Substring] = []
    while !parts.isEmpty {
      let candidate = root + parts.joined(separator: "/")
      var status = stat()
      if stat(candidate, &status) == 0 {
        let isFolder = status.st_mode & S_IFMT == S_IFDIR
        return isFolder ? nil : (candidate, below.reversed().filter { $0 != "." }.joined(separator: "/"))
      }
      guard errno == ENOENT || errno == ENOTDIR else { return nil }
      below.append(parts.removeLast())
    }
    return nil
  }

  /// The archive's index, to be shared; nil for a folder.
  package var index: TarIndex? {
    if case .archive(let archive) = place { archive.index } else { nil }
  }

  /// A picture's place for messages: `folder/name`, or `archive.tar:folder/name`.
  func path(of name: String) -> String { prefix + name }

  // MARK: Reading

  /// - Throws: `COCOError` with the picture's place.
  package func read(_ name: String, limit: Int) throws -> [UInt8] {
    switch place {
    case .folder: return try FileContent.read(path(of: name), limit: limit)
    case .archive(let archive):
      let file = try archive.file(inArchive(name), limit: limit)
      return try file.bytes(at: 0, file.count)
    }
  }

  /// The header of a picture.
  /// - Throws: `COCOError` with the picture's place.
  func header(of name: String, _ rules: PictureRules) throws -> PictureHeader {
    switch place {
    case .folder: try PictureHeader(reading: path(of: name), rules)
    case .archive(let archive):
      try PictureHeader(of: archive.file(inArchive(name), limit: ImageDecoder.maximumBytes), rules)
    }
  }

  private func inArchive(_ name: String) -> String { folder == "." ? name : "\(folder)/\(name)" }

  // MARK: Looking up

  enum State {
    case there, missing
    /// Why no picture can be read from it.
    case unusable(String)
  }

  func state(of name: String) -> State {
    switch place {
    case .folder: return Self.state(ofFile: path(of: name))
    case .archive(let archive):
      guard let member = TarIndex.path(inArchive(name).utf8).flatMap({ archive.index[$0] }) else { return .missing }
      return member.unusable.map(State.unusable) ?? .there
    }
  }

  private static func state(ofFile path: String) -> State {
    var status = stat()
    guard stat(path, &status) == 0 else {
      let number = errno
      return number == ENOENT || number == ENOTDIR
        ? .missing : .unusable("cannot be read: \(String(cString: strerror(number)))")
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return status.st_size > 0 ? .there : .unusable("is an empty file")
    case S_IFDIR: return .unusable("is a folder, not a file")
    default: return .unusable("is not a regular file")
    }
  }

  /// What is wrong with the folder itself, or nil.
  var fault: String? {
    switch place {
    case .folder:
      var status = stat()
      guard stat(folder, &status) == 0 else { return "the folder '\(folder)' (img_prefix) does not exist" }
      return status.st_mode & S_IFMT == S_IFDIR ? nil : "'\(folder)' (img_prefix) is no folder"
    case .archive(let archive):
      if folder == "." { return archive.index.count > 0 ? nil : "the archive '\(archive.path)' (img_prefix) is empty" }
      return archive.index.hasFolder(folder)
        ? nil : "the archive '\(archive.path)' (img_prefix) has no folder '\(folder)'"
    }
  }

  /// What finds a name that may have been meant for one that is missing.
  var nearMisses: NearMisses {
    switch place {
    case .folder: NearMisses(in: folder)
    case .archive(let archive): NearMisses(in: folder, of: archive)
    }
  }
}
