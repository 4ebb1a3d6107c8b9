internal import CPNG
import Primitives

/// PNG by libpng's simplified interface, from the critical chunks alone: what says how to colour, blend or describe the
/// picture (gamma, profiles, transparency keys, text) is taken out first, so that it can neither change the
/// pixels nor inflate into memory.
enum PNGDecoder {
  static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

  static func decode(_ file: [UInt8], _ rules: PictureRules, _ pool: PixelPool) throws -> DecodedImage {
    let (bytes, orientation) = try essentials(of: file, rules)
    // The library keeps the pointer from the first call to the second.
    let image = try bytes.withUnsafeBytes { try read($0, pool) }
    return image.upright(orientation: rules.orientation(orientation))
  }

  private static func read(_ bytes: UnsafeRawBufferPointer, _ pool: PixelPool) throws -> DecodedImage {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    defer { png_image_free(&image) }
    guard png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0 else { throw fault(image) }
    let (width, height) = (Int(image.width), Int(image.height))
    // 16-bit files without a gamma are not taken for linear light.
    image.flags |= png_uint_32(PNG_IMAGE_FLAG_16BIT_sRGB)
    let hasAlpha = image.format & png_uint_32(PNG_FORMAT_FLAG_ALPHA) != 0
    let channels = hasAlpha ? 4 : 3
    image.format = png_uint_32(PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_BGR)
    if hasAlpha { image.format |= png_uint_32(PNG_FORMAT_FLAG_ALPHA) }
    var pixels = pool.take(width * height * channels)
    guard png_image_finish_read(&image, nil, &pixels, Int32(width * channels), nil) != 0 else { throw fault(image) }
    return DecodedImage(height: height, width: width, pixels: hasAlpha ? withoutAlpha(pixels) : pixels)
  }

  private static func withoutAlpha(_ pixels: [UInt8]) -> [UInt8] {
    var colors = [UInt8](repeating: 0, count: pixels.count / 4 * 3)
    for pixel in 0..<pixels.count / 4 {
      for channel in 0..<3 { colors[pixel * 3 + channel] = pixels[pixel * 4 + channel] }
    }
    return colors
  }

  /// The file with IHDR, PLTE, IDAT and IEND only, and the orientation from its eXIf chunk.
  private static func essentials(
    of file: [UInt8], _ rules: PictureRules
  ) throws -> (bytes: [UInt8], orientation: Int) {
    var essentials = signature
    essentials.reserveCapacity(file.count)
    var orientation = 1
    var offset = signature.count
    while offset < file.count {
      guard offset + 12 <= file.count else { throw ImageFault.cutShort }
      let length = file[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= file.count - offset - 12 else { throw ImageFault.cutShort }
      let chunk = file[offset..<offset + 12 + length]
      let name = String(decoding: chunk.dropFirst(4).prefix(4), as: UTF8.self)
      if offset == signature.count { try checkHeader(name, chunk.dropFirst(8).dropLast(4), rules) }
      if ["IHDR", "PLTE", "IDAT", "IEND"].contains(name) { essentials += chunk }
      if name == "eXIf" { orientation = ExifOrientation.ofBlock(chunk.dropFirst(8).dropLast(4)) }
      offset += chunk.count
      if name == "IEND" { break }
    }
    return (essentials, orientation)
  }

  /// The size that the header chunk states.
  @discardableResult
  static func checkHeader(
    _ name: String, _ header: ArraySlice<UInt8>, _ rules: PictureRules
  ) throws -> ImageSize {
    guard name == "IHDR", header.count == 13 else { throw ImageFault("the PNG file does not begin with a header") }
    let width = header.prefix(4).reduce(0) { $0 << 8 | Int($1) }
    let height = header.dropFirst(4).prefix(4).reduce(0) { $0 << 8 | Int($1) }
    try rules.check(width: width, height: height)
    return ImageSize(height: height, width: width)
  }

  private static func fault(_ image: png_image) -> ImageFault {
    let message = withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    if ["Read Error", "Not enough image data", "read beyond end of data"].contains(message) { return .cutShort }
    return ImageFault("the PNG data is damaged: \(message)")
  }
}
