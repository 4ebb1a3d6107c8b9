import Primitives

/// A decoded picture: 8 bits a channel, blue, green, red, row by row (`[height, width, 3]`), upright.
public struct DecodedImage: Equatable, Sendable {
  public let height: Int
  public let width: Int
  public let pixels: [UInt8]

  /// The stored picture's size, upright: larger than `size` where it was decoded at a reduced scale.
  let fullSize: ImageSize
  /// How many of its rows and columns a pixel stands for (those at the right and lower border perhaps for fewer).
  let reduction: Int

  public init(height: Int, width: Int, pixels: [UInt8]) {
    let size = ImageSize(height: height, width: width)
    self.init(size, pixels, fullSize: size, reduction: 1)
  }

  init(_ size: ImageSize, _ pixels: [UInt8], fullSize: ImageSize, reduction: Int) {
    require(
      pixels.count == size.height * size.width * 3,
      "\(pixels.count) bytes are no \(size.height) x \(size.width) BGR picture")
    (height, width, self.pixels, self.fullSize, self.reduction) = (size.height, size.width, pixels, fullSize, reduction)
  }

  public var size: ImageSize { ImageSize(height: height, width: width) }
}

/// Reads pictures (`PictureFormat`) the way OpenCV's `IMREAD_COLOR` does: the format is told by the content, not by the
/// name; EXIF orientation is applied, unless the rules say otherwise; grey is repeated, alpha dropped (not composited;
/// `TIFFDecoder` and `GIFDecoder` say what else OpenCV does), 16 bits are scaled to 8, CMYK becomes (255-C)(255-K)/255;
/// colour profiles and gamma are ignored.
///
/// Unlike there, a file that is cut short is an error, not a picture with a grey rest.
public enum ImageDecoder {
  static let maximumBytes = 1 << 30

  /// - Parameters:
  ///   - path: the picture's, of any format that is read.
  ///   - expectedSize: the size that the annotation file states, if there is one.
  ///   - rules: how it is read, and how large it may be.
  /// - Throws: `COCOError` with the path and the reason.
  public static func decode(
    _ path: String, expectedSize: ImageSize? = nil, rules: PictureRules = PictureRules()
  ) throws -> DecodedImage {
    try decode(path, expectedSize: expectedSize, covering: nil, rules, PixelPool())
  }

  /// - Parameters:
  ///   - target: an upright size that is enough: a JPEG is decoded at the smallest of 1, 1/2, 1/4, 1/8 of its size that
  ///     is not below it in any edge.
  ///   - pool: where the memory comes from.
  static func decode(
    _ path: String, expectedSize: ImageSize?, covering target: ImageSize?, _ rules: PictureRules, _ pool: PixelPool
  ) throws -> DecodedImage {
    let file = try FileContent.read(path, limit: maximumBytes)
    return try decode(file, path: path, expectedSize: expectedSize, covering: target, rules, pool)
  }

  /// The same of a file's content; `path` is for messages.
  static func decode(
    _ bytes: [UInt8], path: String, expectedSize: ImageSize?, covering target: ImageSize?, _ rules: PictureRules,
    _ pool: PixelPool
  ) throws -> DecodedImage {
    let image = try decode(bytes, path: path, covering: target, rules: rules, pool)
    if let expectedSize,
      let difference = image.fullSize.difference(from: expectedSize, orientation: nil, exif: rules.exif)
    {
      throw COCOError(at: path, difference)
    }
    return image
  }

  /// Decodes the content of a file; `path` is for messages.
  public static func decode(
    _ bytes: [UInt8], path: String, rules: PictureRules = PictureRules()
  ) throws -> DecodedImage {
    try decode(bytes, path: path, covering: nil, rules: rules, PixelPool())
  }

  package static func decode(
    _ bytes: [UInt8], path: String, covering target: ImageSize?, rules: PictureRules = PictureRules(),
    _ pool: PixelPool
  ) throws -> DecodedImage {
    do {
      switch PictureFormat(start: Array(bytes.prefix(18))) {
      case .jpeg: return try JPEGDecoder.decode(bytes, covering: target, rules, pool)
      case .png: return try PNGDecoder.decode(bytes, rules, pool)
      case .webP: return try WebPDecoder.decode(bytes, rules, pool)
      case .tiff: return try TIFFDecoder.decode(bytes, rules, pool)
      case .bmp: return try BMPDecoder.decode(bytes, rules, pool)
      case .gif: return try GIFDecoder.decode(bytes, rules, pool)
      case nil: break
      }
    } catch let fault as ImageFault {
      throw COCOError(at: path, fault.reason)
    }
    throw foreign(bytes, path: path)
  }
}

/// Why a picture can't be decoded.
struct ImageFault: Error {
  let reason: String

  init(_ reason: String) { self.reason = reason }

  static let cutShort = ImageFault("the picture is cut short: the file ends before its data does")
}
