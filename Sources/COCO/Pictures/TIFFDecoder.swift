internal import CTIFF
import Primitives

/// TIFF by libtiff's conversion to 8-bit colour, which is OpenCV's way, too: 16 bits a channel become 8, colours are
/// multiplied with an alpha that says they are not yet. Of several pictures in a file, the first.
enum TIFFDecoder {
  /// Of both orders of bytes, of TIFF and BigTIFF.
  static let signatures: [[UInt8]] = [
    [0x49, 0x49, 0x2a, 0], [0x4d, 0x4d, 0, 0x2a], [0x49, 0x49, 0x2b, 0], [0x4d, 0x4d, 0, 0x2b],
  ]

  /// The stored size and the orientation.
  /// - Throws: `ImageFault`, also for a kind of picture that can't be decoded.
  static func header(of file: PartialFile, _ rules: PictureRules) throws -> (ImageSize, orientation: Int) {
    // No list of strips or tiles needs more.
    try open(file, limit: 1 << 24) { picture, _ in
      var (width, height) = (UInt32(0), UInt32(0))
      guard ctiff_number(picture, UInt32(TIFFTAG_IMAGEWIDTH), &width) != 0,
        ctiff_number(picture, UInt32(TIFFTAG_IMAGELENGTH), &height) != 0
      else { throw ImageFault("the TIFF file states no size") }
      try rules.check(width: Int(width), height: Int(height))
      if let kind = kindOfNumbers(picture) {
        throw ImageFault("the TIFF picture holds \(kind); convert it to 8 bits a channel")
      }
      let channels = ctiff_small(picture, UInt32(TIFFTAG_SAMPLESPERPIXEL))
      guard channels <= 4 else {
        throw ImageFault("the TIFF picture has \(channels) channels; convert the three that matter to RGB")
      }
      var reason = [CChar](repeating: 0, count: 1024)
      guard TIFFRGBAImageOK(picture, &reason) != 0 else {
        throw ImageFault("libtiff does not decode this kind of TIFF (\(text(reason))); convert it to 8-bit RGB")
      }
      let orientation = Int(ctiff_small(picture, UInt32(TIFFTAG_ORIENTATION)))
      return (ImageSize(height: Int(height), width: Int(width)), (1...8).contains(orientation) ? orientation : 1)
    }
  }

  static func decode(_ bytes: [UInt8], _ rules: PictureRules, _ pool: PixelPool) throws -> DecodedImage {
    let file = PartialFile(bytes)
    let (size, orientation) = try header(of: file, rules)
    let count = size.height * size.width
    var pixels = pool.take(count * 4)
    // A strip may be the whole picture, of up to 16 bytes a pixel.
    try open(file, limit: Int64(1 << 24 + 16 * count)) { picture, fault in
      // The picture is turned afterwards, like all others; asked for as it is stored, the library leaves it.
      let status = pixels.withUnsafeMutableBytes {
        TIFFReadRGBAImageOriented(
          picture, UInt32(size.width), UInt32(size.height), $0.bindMemory(to: UInt32.self).baseAddress,
          Int32(ctiff_small(picture, UInt32(TIFFTAG_ORIENTATION))), 1)
      }
      guard status != 0 else { throw fault() }
    }
    ctiff_pack(&pixels, count)
    pixels.removeLast(count)
    return DecodedImage(size, pixels, fullSize: size, reduction: 1).upright(orientation: rules.orientation(orientation))
  }

  private static func kindOfNumbers(_ picture: OpaquePointer) -> String? {
    switch ctiff_small(picture, UInt32(TIFFTAG_SAMPLEFORMAT)) {
    case SAMPLEFORMAT_INT: "signed numbers"
    case SAMPLEFORMAT_IEEEFP: "floating-point numbers"
    case SAMPLEFORMAT_COMPLEXINT, SAMPLEFORMAT_COMPLEXIEEEFP: "complex numbers"
    default: nil
    }
  }

  private static func open<Result>(
    _ file: PartialFile, limit: Int64, _ body: (OpaquePointer, _ fault: () -> ImageFault) throws -> Result
  ) throws -> Result {
    try file.withContent { bytes, descriptor, start in
      var source = ctiff_source()
      (source.bytes, source.descriptor) = (bytes?.assumingMemoryBound(to: UInt8.self), descriptor)
      (source.start, source.count) = (Int64(start), Int64(file.count))
      return try withUnsafeMutablePointer(to: &source) { source in
        guard let picture = ctiff_open(source, limit) else { throw fault(source.pointee) }
        defer { TIFFClose(picture) }
        return try body(picture) { endsEarly(picture, file.count) ? .cutShort : fault(source.pointee) }
      }
    }
  }

  /// Whether a strip or tile lies behind the end, which the library doesn't always say.
  private static func endsEarly(_ picture: OpaquePointer, _ count: Int) -> Bool {
    let parts = TIFFIsTiled(picture) != 0 ? TIFFNumberOfTiles(picture) : TIFFNumberOfStrips(picture)
    return (0..<parts).contains {
      TIFFGetStrileOffset(picture, $0) &+ TIFFGetStrileByteCount(picture, $0) > UInt64(count)
    }
  }

  private static func fault(_ source: ctiff_source) -> ImageFault {
    let message = withUnsafeBytes(of: source.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    let isShort = ["Read error", "Can not read TIFF directory", "Cannot read TIFF header"]
      .contains { message.contains($0) }
    if source.is_short != 0 || isShort { return .cutShort }
    return ImageFault("the TIFF data are damaged: \(message.isEmpty ? "no reason given" : message)")
  }

  private static func text(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
