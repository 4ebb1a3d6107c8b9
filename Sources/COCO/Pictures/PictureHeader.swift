import Foundation
import Primitives

/// The size of a picture, read from its header alone.
struct PictureHeader {
  /// Upright.
  let size: ImageSize
  /// EXIF's, which has been applied to `size`.
  let orientation: Int

  /// - Throws: `COCOError` with the path and the reason, as `ImageDecoder.decode` would.
  init(reading path: String) throws {
    let (descriptor, count) = try FileContent.open(path, limit: ImageDecoder.maximumBytes)
    defer { close(descriptor) }
    try self.init(of: PartialFile(descriptor: descriptor, count: count, path: path))
  }

  init(of file: PartialFile) throws {
    let path = file.path
    do {
      let stored: ImageSize
      switch PictureFormat(start: try file.bytes(at: 0, 18)) {
      case .jpeg: (stored, orientation) = try JPEGDecoder.header(of: file)
      case .png: (stored, orientation) = try PNGDecoder.header(of: file)
      case .webP: (stored, orientation) = try WebPDecoder.header(of: file)
      case .tiff: (stored, orientation) = try TIFFDecoder.header(of: file)
      case .bmp: (stored, orientation) = try BMPDecoder.header(of: file)
      case .gif: (stored, orientation) = try GIFDecoder.header(of: file)
      case nil: throw ImageDecoder.foreign(try file.bytes(at: 0, 4096), path: path)
      }
      size = orientation >= 5 ? ImageSize(height: stored.width, width: stored.height) : stored
    } catch let fault as ImageFault {
      throw COCOError(at: path, fault.reason)
    }
  }

  /// In which way the picture's size is not the one that the annotation file states, or nil.
  func difference(from stated: ImageSize) -> String? { size.difference(from: stated, orientation: orientation) }
}

extension ImageSize {
  /// In which way a picture's upright size, this one, is not the one that the annotation file states, or nil.
  /// - Parameter orientation: EXIF's, where it is known.
  func difference(from stated: ImageSize, orientation: Int?) -> String? {
    guard stated != self else { return nil }
    return "the picture is \(width) x \(height) pixels upright, but the annotation file says "
      + "\(stated.width) x \(stated.height)" + reason(of: stated, orientation)
  }

  private func reason(of stated: ImageSize, _ orientation: Int?) -> String {
    if stated == ImageSize(height: width, width: height) {
      guard let orientation else { return " (the EXIF rotation?)" }
      return orientation >= 5 ? " (its size before the EXIF rotation)" : " (width and height are swapped)"
    }
    let (across, down) = (Double(stated.width) / Double(width), Double(stated.height) / Double(height))
    guard abs(across / down - 1) < 0.02 else { return "" }
    let factor = String(format: across < 1 ? "%.2f" : "%.1f", across)
    return " (\(factor) times the picture's size: were the pictures resized?)"
  }
}

extension JPEGDecoder {
  /// The stored size and the orientation, from as much of the file as comes before the picture data.
  static func header(of file: PartialFile) throws -> (ImageSize, orientation: Int) {
    var length = 1 << 14
    while true {
      let bytes = try file.bytes(at: 0, length)
      let markers = JPEGMarkers(bytes)
      if markers.hasScan || bytes.count < length || bytes.count == file.count {
        return (try size(of: bytes), markers.orientation)
      }
      length <<= 4
    }
  }
}

extension PNGDecoder {
  /// The stored size and the orientation: what stands between the chunks' data is read.
  static func header(of file: PartialFile) throws -> (ImageSize, orientation: Int) {
    let first = try file.bytes(at: signature.count, 25)
    let size = try checkHeader(
      String(decoding: first.dropFirst(4).prefix(4), as: UTF8.self), first.dropFirst(8).dropLast(4))
    var offset = signature.count
    var orientation = 1
    while offset < file.count {
      let chunk = try file.bytes(at: offset, 8)
      let length = chunk.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      guard chunk.count == 8, offset + 12 + length <= file.count else { throw ImageFault.cutShort }
      let name = String(decoding: chunk.dropFirst(4), as: UTF8.self)
      if name == "eXIf" { orientation = ExifOrientation.ofBlock(try file.bytes(at: offset + 8, length)[...]) }
      if name == "IEND" { break }
      offset += 12 + length
    }
    return (size, orientation)
  }
}
