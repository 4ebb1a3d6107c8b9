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

/// Reads JPEG and PNG pictures the way OpenCV's `IMREAD_COLOR` does: the format is told by the content, not by the
/// name; EXIF orientation is applied, unless the rules say otherwise; grey is repeated, alpha dropped (not composited), 16 bits are scaled to 8, CMYK becomes
/// (255-C)(255-K)/255; colour profiles and gamma are ignored.
///
/// Unlike there, a file that is cut short is an error, not a picture with a grey rest.
public enum ImageDecoder {
  static let maximumBytes = 1 << 30

  /// - Parameter expectedSize: the size that the annotation file states, if there is one.
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
    let bytes = try FileContent.read(path, limit: maximumBytes)
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
      if bytes.starts(with: JPEGDecoder.signature) {
        return try JPEGDecoder.decode(bytes, covering: target, rules, pool)
      }
      if bytes.starts(with: PNGDecoder.signature) { return try PNGDecoder.decode(bytes, rules, pool) }
    } catch let fault as ImageFault {
      throw COCOError(at: path, fault.reason)
    }
    throw foreign(bytes, path: path)
  }

  /// What a file is that is no picture for this decoder, told from its first bytes.
  static func foreign(_ bytes: [UInt8], path: String) -> COCOError {
    let content = FileContent.describe(bytes)
    let hint = content.hasSuffix("picture") ? "convert it to JPEG or PNG" : "a JPEG or PNG picture is expected"
    return COCOError(at: path, "is \(content); \(hint)")
  }
}

/// Why a picture can't be decoded.
struct ImageFault: Error {
  let reason: String

  init(_ reason: String) { self.reason = reason }

  static let cutShort = ImageFault("the picture is cut short: the file ends before its data does")
}
