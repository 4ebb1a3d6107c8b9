import Foundation

/// Files as bytes, and what they look like from their first bytes.
package enum FileContent {
  /// The bytes of a regular file. Devices, folders and pipes are refused before anything is read.
  package static func read(_ path: String, limit: Int) throws -> [UInt8] {
    let (descriptor, size) = try open(path, limit: limit)
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: size)
    var filled = 0
    while filled < size {
      let count = bytes.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress! + filled, size - filled) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw failure(path) }
      if count == 0 { break }
      filled += count
    }
    bytes.removeLast(size - filled)
    return bytes
  }

  /// A regular file for reading, which the caller closes, and its size in bytes.
  static func open(_ path: String, limit: Int) throws -> (descriptor: Int32, size: Int) {
    let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure(path) }
    do {
      let size = try regularFileSize(descriptor, path)
      guard size <= limit else {
        throw COCOError(at: path, "the file has \(size) bytes; more than \(limit) are refused")
      }
      return (descriptor, size)
    } catch {
      close(descriptor)
      throw error
    }
  }

  private static func regularFileSize(_ descriptor: Int32, _ path: String) throws -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure(path) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return Int(status.st_size)
    case S_IFDIR: throw COCOError(at: path, "is a folder, not a file")
    default: throw COCOError(at: path, "is not a regular file")
    }
  }

  /// What `errno` says.
  static func failure(_ path: String) -> COCOError {
    let number = errno
    let missing = number == ENOENT || number == ENOTDIR
    let reason = missing ? "the file does not exist" : "cannot be read: \(String(cString: strerror(number)))"
    return COCOError(missing ? .inputMissing : .inputOutput, at: path, reason)
  }

  /// "a GIF picture", "a git-lfs pointer, …": what bytes that are not what was expected seem to be.
  package static func describe(_ bytes: [UInt8]) -> String {
    if bytes.isEmpty { return "an empty file" }
    if let media = describeMedia(bytes) { return media }
    if let known = signatures.first(where: { bytes.dropFirst($0.offset).starts(with: $0.bytes) }) { return known.name }
    if bytes.prefix(4096).allSatisfy({ $0 == 0 }) { return "only zero bytes" }
    return describeText(bytes.prefix(512)) ?? "data of an unknown format"
  }

  /// What a file of ISO's media format is, by the brands that its first box states.
  private static func describeMedia(_ bytes: [UInt8]) -> String? {
    guard bytes.count >= 12, bytes[4..<8].elementsEqual("ftyp".utf8) else { return nil }
    let box = bytes.prefix(max(12, min(bytes[..<4].reduce(0) { $0 << 8 | Int($1) }, 256)))
    let brands = stride(from: 8, to: box.count - 3, by: 4).map { String(decoding: box[$0..<$0 + 4], as: UTF8.self) }
    if brands.contains(where: ["avif", "avis"].contains) { return "an AVIF picture" }
    if brands.contains(where: ["heic", "heix", "hevc", "heim", "heis", "mif1", "msf1"].contains) {
      return "a HEIC picture"
    }
    return "a video (MP4 or QuickTime)"
  }

  private static func describeText(_ start: ArraySlice<UInt8>) -> String? {
    guard start.allSatisfy({ (0x20..<0xf8).contains($0) || (9...13).contains($0) }) else { return nil }
    let text = String(decoding: start, as: UTF8.self).lowercased().drop(while: \.isWhitespace)
    if text.hasPrefix("version https://git-lfs") { return "a git-lfs pointer (run 'git lfs pull')" }
    if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") { return "an HTML page" }
    if text.contains("<svg") { return "an SVG drawing" }
    return "text"
  }

  private static let signatures: [(name: String, offset: Int, bytes: [UInt8])] = [
    ("a JPEG picture", 0, [0xff, 0xd8]),
    ("a PNG picture", 0, [0x89, 0x50, 0x4e, 0x47]),
    ("a GIF picture", 0, Array("GIF8".utf8)),
    ("a WebP picture", 8, Array("WEBP".utf8)),
    ("a BMP picture", 0, Array("BM".utf8)),
    ("a TIFF picture", 0, [0x49, 0x49, 0x2a, 0]),
    ("a TIFF picture", 0, [0x4d, 0x4d, 0, 0x2a]),
    ("a JPEG 2000 picture", 4, Array("jP  ".utf8)),
    ("a JPEG XL picture", 0, [0xff, 0x0a]),
    ("a JPEG XL picture", 4, Array("JXL ".utf8)),
    ("a Photoshop picture", 0, Array("8BPS".utf8)),
    ("gzip-compressed data", 0, [0x1f, 0x8b]),
    ("bzip2-compressed data", 0, Array("BZh".utf8)),
    ("xz-compressed data", 0, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]),
    ("zstd-compressed data", 0, [0x28, 0xb5, 0x2f, 0xfd]),
    ("lz4-compressed data", 0, [0x04, 0x22, 0x4d, 0x18]),
    ("a 7z archive", 0, [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]),
    ("a zip archive", 0, Array("PK\u{3}\u{4}".utf8)),
    ("UTF-16 text", 0, [0xff, 0xfe]),
    ("UTF-16 text", 0, [0xfe, 0xff]),
    ("a PGM or PPM picture", 0, Array("P5".utf8)),
    ("a PGM or PPM picture", 0, Array("P6".utf8)),
  ]
}
