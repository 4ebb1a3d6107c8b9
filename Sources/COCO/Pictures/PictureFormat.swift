/// The formats of pictures that are read, told from a file's first bytes.
enum PictureFormat {
  case jpeg, png, webP, tiff, bmp, gif

  /// - Parameter start: the first 18 bytes, or all.
  init?(start: [UInt8]) {
    if start.starts(with: JPEGDecoder.signature) {
      self = .jpeg
    } else if start.starts(with: PNGDecoder.signature) {
      self = .png
    } else if start.starts(with: "RIFF".utf8), start.dropFirst(8).starts(with: "WEBP".utf8) {
      self = .webP
    } else if TIFFDecoder.signatures.contains(where: start.starts) {
      self = .tiff
    } else if BMPHeader.isExpected(start) {
      self = .bmp
    } else if start.starts(with: "GIF87a".utf8) || start.starts(with: "GIF89a".utf8) {
      self = .gif
    } else {
      return nil
    }
  }

  static let names = "JPEG, PNG, WebP, TIFF, BMP or GIF"
}

extension ImageDecoder {
  /// Whether the first bytes are those of a picture that is decoded.
  package static func isPicture(_ bytes: [UInt8]) -> Bool { PictureFormat(start: Array(bytes.prefix(18))) != nil }

  /// What a file is that is no picture for this decoder, told from its first bytes.
  static func foreign(_ bytes: [UInt8], path: String) -> COCOError {
    let content = FileContent.describe(bytes)
    let hint =
      switch content {
      case "a HEIC picture", "an AVIF picture":
        "convert it to JPEG or PNG, for example by heif-convert (of libheif) or ImageMagick"
      case _ where content.hasSuffix("picture"): "convert it to JPEG or PNG"
      default: "a picture (\(PictureFormat.names)) is expected"
      }
    return COCOError(at: path, "is \(content); \(hint)")
  }
}

/// Whole numbers in the bytes of a file.
extension RandomAccessCollection<UInt8> where Index == Int {
  /// - Parameter offset: from the first byte of this part, which must hold the number.
  func littleEndian(_ offset: Int, _ count: Int) -> Int {
    self[startIndex + offset..<startIndex + offset + count].reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
