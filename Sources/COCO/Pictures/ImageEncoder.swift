internal import CPNG
internal import CTurboJPEG
import Foundation
import Primitives

/// Pictures as files. Pixels are 8-bit, height × width × 3, row by row.
public enum ImageEncoder {
  /// The order of the three channels of a pixel. mmdetection's pictures are BGR.
  public enum ChannelOrder: Sendable { case rgb, bgr }

  /// Whether pictures can be written under a name with this ending.
  public static func canWrite(_ path: String) -> Bool {
    ["jpg", "jpeg", "png"].contains((path as NSString).pathExtension.lowercased())
  }

  /// How many colours a JPEG keeps.
  public enum Chroma: Sendable {
    /// One for four pixels (4:2:0), as most pictures have it.
    case halved
    /// One a pixel (4:4:4): thin lines in colours stay sharp.
    case full
  }

  /// Writes a JPEG (`.jpg`, `.jpeg`) or a PNG (`.png`), as the name of the file says. The file is never seen half
  /// written.
  /// - Throws: `OutputError` for another ending or where the file cannot be written.
  public static func write(
    _ pixels: [UInt8], _ size: ImageSize, _ order: ChannelOrder, to path: String, jpegQuality: Int = 90,
    chroma: Chroma = .halved
  ) throws {
    switch (path as NSString).pathExtension.lowercased() {
    case "jpg", "jpeg":
      let bytes = try jpeg(pixels, size, order, quality: jpegQuality, chroma, path)
      try OutputError.orWrite(bytes, to: path, safety: .renamed)
    case "png": try OutputError.orWrite(png(pixels, size, order, path), to: path, safety: .renamed)
    case let ending:
      throw OutputError(path: path, reason: "'.\(ending)' is not a kind of picture known here; use .jpg or .png")
    }
  }

  /// The bytes of a baseline JPEG, by the exact integer transform (the same bytes with and without SIMD).
  /// - Parameters:
  ///   - pixels: `[height, width, 3]`, row by row.
  ///   - size: of the picture.
  ///   - order: of the three channels.
  ///   - quality: libjpeg's, 1 … 100.
  ///   - chroma: how many colours are kept.
  ///   - path: where it is to go, for messages.
  /// - Throws: `OutputError`.
  public static func jpeg(
    _ pixels: [UInt8], _ size: ImageSize, _ order: ChannelOrder, quality: Int, _ chroma: Chroma, _ path: String
  ) throws -> Data {
    check(pixels, size)
    guard let compressor = tjInitCompress() else {
      throw OutputError(path: path, reason: "libjpeg-turbo does not start")
    }
    defer { tjDestroy(compressor) }
    var buffer: UnsafeMutablePointer<UInt8>?
    var count: UInt = 0
    defer { tjFree(buffer) }
    let format = order == .rgb ? TJPF_RGB : TJPF_BGR
    let status = tjCompress2(
      compressor, pixels, Int32(size.width), 0, Int32(size.height), format.rawValue, &buffer, &count,
      Int32((chroma == .full ? TJSAMP_444 : TJSAMP_420).rawValue), Int32(quality), TJFLAG_ACCURATEDCT)
    guard status == 0, let buffer else {
      throw OutputError(path: path, reason: String(cString: tjGetErrorStr2(compressor)))
    }
    return Data(bytes: buffer, count: Int(count))
  }

  private static func png(_ pixels: [UInt8], _ size: ImageSize, _ order: ChannelOrder, _ path: String) throws -> Data {
    check(pixels, size)
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    image.width = png_uint_32(size.width)
    image.height = png_uint_32(size.height)
    image.format = png_uint_32(PNG_FORMAT_FLAG_COLOR) | (order == .bgr ? png_uint_32(PNG_FORMAT_FLAG_BGR) : 0)
    image.flags = png_uint_32(PNG_IMAGE_FLAG_FAST)
    var count = largestPNG(size)
    var data = Data(count: count)
    let status = data.withUnsafeMutableBytes {
      png_image_write_to_memory(&image, $0.baseAddress, &count, 0, pixels, 0, nil)
    }
    guard status != 0 else {
      let reason = withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      throw OutputError(path: path, reason: reason)
    }
    return data.prefix(count)
  }

  /// A bound for the bytes of a PNG that does not compress at all: rows with their filter byte, zlib's overhead, chunks.
  private static func largestPNG(_ size: ImageSize) -> Int {
    let rows = size.height * (3 * size.width + 1)
    return rows + rows / 500 + 4096
  }

  private static func check(_ pixels: [UInt8], _ size: ImageSize) {
    require(
      pixels.count == size.height * size.width * 3,
      "\(pixels.count) bytes are not \(size.height) × \(size.width) × 3")
  }
}
