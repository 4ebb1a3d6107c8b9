internal import CWebP
import Primitives

/// WebP by libwebp, lossy and lossless; of an animation the first picture, on black where it is smaller than the whole.
enum WebPDecoder {
  /// The stored size and the orientation.
  static func header(of file: PartialFile, _ rules: PictureRules) throws -> (ImageSize, orientation: Int) {
    let container = try WebPContainer(file, rules)
    return (container.size, container.orientation)
  }

  static func decode(_ file: [UInt8], _ rules: PictureRules, _ pool: PixelPool) throws -> DecodedImage {
    let container = try WebPContainer(PartialFile(file), rules)
    let (size, picture) = (container.size, container.firstPicture)
    var pixels: [UInt8]
    if let picture {
      let part = try Self.pixels(of: Array(file[picture.data]), picture.size, pool)
      pixels = part
      if picture.size != size {
        pixels = [UInt8](repeating: 0, count: size.height * size.width * 3)
        for row in 0..<picture.size.height {
          let target = ((picture.top + row) * size.width + picture.left) * 3
          let source = part[row * picture.size.width * 3..<(row + 1) * picture.size.width * 3]
          pixels.replaceSubrange(target..<target + source.count, with: source)
        }
      }
    } else {
      pixels = try Self.pixels(of: file, size, pool)
    }
    return DecodedImage(size, pixels, fullSize: size, reduction: 1).upright(
      orientation: rules.orientation(container.orientation))
  }

  /// The size that the data of a picture state, with or without the file's header before them.
  static func size(of start: [UInt8]) throws -> ImageSize {
    var (width, height) = (Int32(0), Int32(0))
    guard WebPGetInfo(start, start.count, &width, &height) != 0 else {
      throw ImageFault("the WebP header is damaged")
    }
    return ImageSize(height: Int(height), width: Int(width))
  }

  private static func pixels(of data: [UInt8], _ size: ImageSize, _ pool: PixelPool) throws -> [UInt8] {
    var configuration = WebPDecoderConfig()
    guard WebPInitDecoderConfig(&configuration) != 0 else { throw ImageFault("libwebp is of another version") }
    var pixels = pool.take(size.height * size.width * 3)
    let status = pixels.withUnsafeMutableBufferPointer { buffer in
      configuration.output.colorspace = MODE_BGR
      configuration.output.is_external_memory = 1
      configuration.output.u.RGBA = WebPRGBABuffer(
        rgba: buffer.baseAddress, stride: Int32(size.width * 3), size: buffer.count)
      return WebPDecode(data, data.count, &configuration)
    }
    WebPFreeDecBuffer(&configuration.output)
    switch status {
    case VP8_STATUS_OK: return pixels
    case VP8_STATUS_NOT_ENOUGH_DATA, VP8_STATUS_SUSPENDED: throw ImageFault.cutShort
    case VP8_STATUS_OUT_OF_MEMORY: throw ImageFault("libwebp has no memory for it")
    default: throw ImageFault("the WebP data are damaged")
    }
  }
}

/// What the chunks of a WebP file say (RFC 9649).
struct WebPContainer {
  let size: ImageSize
  private(set) var orientation = 1
  /// Of an animation; nil where the file is one picture.
  private(set) var firstPicture: Picture?

  struct Picture {
    /// Where its data are in the file.
    let data: Range<Int>
    let left: Int
    let top: Int
    let size: ImageSize
  }

  /// - Throws: `ImageFault`; `COCOError` where the file can't be read.
  init(_ file: PartialFile, _ rules: PictureRules) throws {
    let start = try file.bytes(at: 0, 64)
    guard start.count >= 30 else { throw ImageFault.cutShort }
    let end = 8 + start.littleEndian(4, 4)
    guard end <= file.count else { throw ImageFault.cutShort }
    let isExtended = start[12..<16].elementsEqual("VP8X".utf8)
    let isAnimation = isExtended && start[20] & 2 != 0
    size =
      isExtended
      ? ImageSize(height: start.littleEndian(27, 3) + 1, width: start.littleEndian(24, 3) + 1)
      : try WebPDecoder.size(of: start)
    try rules.check(width: size.width, height: size.height)
    guard isExtended else { return }
    var (offset, isPictureThere) = (12, false)
    while offset + 8 <= end {
      let head = try file.bytes(at: offset, 8)
      guard head.count == 8 else { throw ImageFault.cutShort }
      let content = offset + 8..<offset + 8 + head.littleEndian(4, 4)
      guard content.upperBound <= end else { throw ImageFault.cutShort }
      switch String(decoding: head.prefix(4), as: UTF8.self) {
      case "VP8 ", "VP8L": isPictureThere = true
      case "ANMF" where isAnimation && firstPicture == nil: firstPicture = try picture(file, content)
      case "EXIF":
        // The block's own header is often left out.
        let block = try file.bytes(at: content.lowerBound, content.count)
        orientation = ExifOrientation.ofBlock(block[(block.starts(with: "Exif\0\0".utf8) ? 6 : 0)...])
      default: break
      }
      offset = content.upperBound + content.count % 2
    }
    guard isAnimation ? firstPicture != nil : isPictureThere else {
      throw ImageFault("the WebP file holds no picture")
    }
  }

  private func picture(_ file: PartialFile, _ chunk: Range<Int>) throws -> Picture {
    let head = try file.bytes(at: chunk.lowerBound, min(chunk.count, 64))
    guard head.count > 16 else { throw ImageFault("the WebP animation is damaged") }
    let size = ImageSize(height: head.littleEndian(9, 3) + 1, width: head.littleEndian(6, 3) + 1)
    let picture = Picture(
      data: chunk.lowerBound + 16..<chunk.upperBound, left: 2 * head.littleEndian(0, 3),
      top: 2 * head.littleEndian(3, 3), size: size)
    guard picture.left + size.width <= self.size.width, picture.top + size.height <= self.size.height else {
      throw ImageFault("the WebP animation's first picture lies outside of it")
    }
    return picture
  }
}
