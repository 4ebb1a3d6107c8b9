import Foundation

/// Bytes of which only parts are asked for: a file, a part of a file, or what is in memory.
struct PartialFile {
  private enum Content {
    case memory([UInt8])
    case file(descriptor: Int32, start: Int)
  }

  private let content: Content
  let count: Int
  /// For messages.
  let path: String

  /// - Parameters:
  ///   - descriptor: must stay open.
  ///   - start: where the bytes begin in the file.
  init(descriptor: Int32, start: Int = 0, count: Int, path: String) {
    (content, self.count, self.path) = (.file(descriptor: descriptor, start: start), count, path)
  }

  init(_ bytes: [UInt8], path: String = "") { (content, count, self.path) = (.memory(bytes), bytes.count, path) }

  /// So many bytes, or those that are there.
  /// - Throws: `COCOError`.
  func bytes(at offset: Int, _ length: Int) throws -> [UInt8] {
    let end = min(offset + max(0, length), count)
    guard offset >= 0, offset < end else { return [] }
    switch content {
    case .memory(let bytes): return Array(bytes[offset..<end])
    case .file(let descriptor, let start):
      var bytes = [UInt8](repeating: 0, count: end - offset)
      var filled = 0
      while filled < bytes.count {
        let read = bytes.withUnsafeMutableBytes {
          pread(descriptor, $0.baseAddress! + filled, $0.count - filled, off_t(start + offset + filled))
        }
        if read < 0 && errno == EINTR { continue }
        guard read >= 0 else { throw FileContent.failure(path) }
        if read == 0 { break }
        filled += read
      }
      bytes.removeLast(bytes.count - filled)
      return bytes
    }
  }

  /// Calls with where the bytes are: in memory, or from `start` on in the file `descriptor`.
  func withContent<Result>(
    _ body: (_ bytes: UnsafeRawPointer?, _ descriptor: Int32, _ start: Int) throws -> Result
  ) throws -> Result {
    switch content {
    case .memory(let bytes): try bytes.withUnsafeBytes { try body($0.baseAddress, -1, 0) }
    case .file(let descriptor, let start): try body(nil, descriptor, start)
    }
  }
}
