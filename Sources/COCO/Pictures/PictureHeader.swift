import Foundation
import Primitives

/// The size of a picture, read from its header alone.
struct PictureHeader {
  /// Upright, where the rules say that EXIF's orientation is applied.
  let size: ImageSize
  /// EXIF's.
  let orientation: Int
  /// A PNG of 16 bits, whose high bytes alone are seen.
  let isDeep: Bool
  private let exif: ExifUse

  /// - Throws: `COCOError` with the path and the reason, as `ImageDecoder.decode` would.
  init(reading path: String, _ rules: PictureRules = PictureRules()) throws {
    let (descriptor, count) = try FileContent.open(path, limit: ImageDecoder.maximumBytes)
    defer { close(descriptor) }
    try self.init(of: PartialFile(descriptor: descriptor, count: count, path: path), rules)
  }

  init(of file: PartialFile, _ rules: PictureRules) throws {
    exif = rules.exif
    let path = file.path
    let start = try file.bytes(at: 0, 64)
    isDeep = PNGDecoder.isDeep(start)
    do {
      let stored: ImageSize
      switch PictureFormat(start: Array(start.prefix(18))) {
      case .jpeg: (stored, orientation) = try JPEGDecoder.header(of: file, rules)
      case .png: (stored, orientation) = try PNGDecoder.header(of: file, rules)
      case .webP: (stored, orientation) = try WebPDecoder.header(of: file, rules)
      case .tiff: (stored, orientation) = try TIFFDecoder.header(of: file, rules)
      case .bmp: (stored, orientation) = try BMPDecoder.header(of: file, rules)
      case .gif: (stored, orientation) = try GIFDecoder.header(of: file, rules)
      case nil: throw ImageDecoder.foreign(try file.bytes(at: 0, 4096), path: path)
      }
      size = rules.orientation(orientation) >= 5 ? ImageSize(height: stored.width, width: stored.height) : stored
    } catch let fault as ImageFault {
      throw COCOError(at: path, fault.reason)
    }
  }

  /// In which way the picture's size is not the one that the annotation file states, or nil.
  func difference(from stated: ImageSize) -> String? {
    size.difference(from: stated, orientation: orientation, exif: exif)
  }
}

extension ImageSize {
  /// In which way a picture's size, this one, is not the one that the annotation file states, or nil.
  /// - Parameters:
  ///   - orientation: EXIF's, where it is known.
  ///   - exif: whether it has been applied.
  func difference(from stated: ImageSize, orientation: Int?, exif: ExifUse) -> String? {
    guard stated != self else { return nil }
    return "the picture is \(width) x \(height) pixels \(exif == .apply ? "upright" : "as it is stored"), but the "
      + "annotation file says \(stated.width) x \(stated.height)" + reason(of: stated, orientation, exif)
  }

  private func reason(of stated: ImageSize, _ orientation: Int?, _ exif: ExifUse) -> String {
    if stated == ImageSize(height: width, width: height) {
      if let orientation, orientation < 5 { return " (width and height are swapped)" }
      let side = exif == .apply ? "before" : "after"
      let other = exif == .apply ? "mpi.exif: ignore takes pictures as they are stored" : "mpi.exif: apply follows it"
      return orientation == nil
        ? " (its size \(side) an EXIF rotation? \(other))" : " (its size \(side) the EXIF rotation; \(other))"
    }
    let (across, down) = (Double(stated.width) / Double(width), Double(stated.height) / Double(height))
    guard abs(across / down - 1) < 0.02 else { return "" }
    let factor = String(format: across < 1 ? "%.2f" : "%.1f", across)
    return " (\(factor) times the picture's size: were the pictures resized?)"
  }
}

extension JPEGDecoder {
  /// The stored size and the orientation, from as much of the file as comes before the picture data.
  static func header(of file: PartialFile, _ rules: PictureRules) throws -> (ImageSize, orientation: Int) {
    var length = 1 << 14
    while true {
      let bytes = try file.bytes(at: 0, length)
      let markers = JPEGMarkers(bytes)
      if markers.hasScan || bytes.count < length || bytes.count == file.count {
        return (try size(of: bytes, rules), markers.orientation)
      }
      length <<= 4
    }
  }
}

extension PNGDecoder {
  /// The stored size and the orientation: what stands between the chunks' data is read.
  static func header(of file: PartialFile, _ rules: PictureRules) throws -> (ImageSize, orientation: Int) {
    let first = try file.bytes(at: signature.count, 25)
    let size = try checkHeader(
      String(decoding: first.dropFirst(4).prefix(4), as: UTF8.self), first.dropFirst(8).dropLast(4), rules)
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
