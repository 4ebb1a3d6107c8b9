import Foundation

/// An uncompressed tar archive whose members are read where they are, by any number of threads.
final class TarArchive: Sendable {
  let path: String
  let index: TarIndex
  private let descriptor: Int32

  /// - Parameter index: of the same archive; nil: its headers are read.
  /// - Throws: `COCOError`.
  init(_ path: String, index: TarIndex?) throws {
    self.path = path
    let (descriptor, count) = try FileContent.open(path, limit: .max)
    self.descriptor = descriptor
    do {
      let file = PartialFile(descriptor: descriptor, count: count, path: path)
      self.index = try index ?? Self.index(of: file)
      guard self.index.archiveSize == count else {
        let before = self.index.archiveSize
        throw COCOError(
          at: path, "the archive has \(count) bytes and had \(before) a moment ago: is it being written?")
      }
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }

  private static func index(of file: PartialFile) throws -> TarIndex {
    do {
      return try TarIndex(of: file)
    } catch is TarError {
      throw foreign(try file.bytes(at: 0, 4096), file.path)
    }
  }

  /// Members can't be read by their place in a compressed file.
  fileprivate static func foreign(_ start: [UInt8], _ path: String) -> COCOError {
    let content = FileContent.describe(start)
    let tools = ["gzip": "gunzip -k", "bzip2": "bunzip2 -k", "xz": "xz -dk", "zstd": "zstd -d", "lz4": "lz4 -d"]
    if let tool = tools.first(where: { content.hasPrefix("\($0.key)-compressed") })?.value {
      return COCOError(
        at: path,
        "img_prefix names \(content): pictures are read from a plain tar archive only; make one with '\(tool) \(path)'")
    }
    if content.hasSuffix("archive") {
      return COCOError(
        at: path,
        "img_prefix names \(content): pictures are read from a folder or a plain tar archive; unpack it, and make one with "
          + "'tar -C FOLDER -cf FOLDER.tar .'")
    }
    return COCOError(at: path, "img_prefix names \(content); a folder or a tar archive is expected")
  }

  /// - Parameter limit: in bytes; a larger member is refused.
  /// - Throws: `COCOError` where there is no such picture.
  func file(_ name: String, limit: Int) throws -> PartialFile {
    let place = "\(path):\(name)"
    guard let member = TarIndex.path(name.utf8).flatMap({ index[$0] }) else {
      throw COCOError(.inputMissing, at: place, "the archive has no such member")
    }
    if let reason = member.unusable { throw COCOError(at: place, reason) }
    guard member.size <= limit else {
      throw COCOError(at: place, "the file has \(member.size) bytes; more than \(limit) are refused")
    }
    return PartialFile(descriptor: descriptor, start: member.offset, count: member.size, path: place)
  }
}

extension TarIndex {
  /// Of an archive in memory; `path` is for messages.
  /// - Throws: `COCOError`.
  package convenience init(reading bytes: [UInt8], path: String) throws {
    do {
      try self.init(of: PartialFile(bytes, path: path))
    } catch is TarError {
      throw TarArchive.foreign(Array(bytes.prefix(4096)), path)
    }
  }
}

extension TarIndex.Member {
  /// Why no picture can be read from it.
  var unusable: String? {
    switch kind {
    case .file: size > 0 ? nil : "is an empty file"
    case .folder: "is a folder, not a file"
    case .link: "is a link; pack the files themselves, by tar's --dereference"
    case .sparse: "is stored with holes; pack it without tar's --sparse"
    case .other: "is not a regular file"
    }
  }
}
