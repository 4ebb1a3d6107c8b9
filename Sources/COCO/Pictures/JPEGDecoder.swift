internal import CTurboJPEG
import Primitives

/// JPEG by libjpeg-turbo, with its accurate DCT and smooth chroma upsampling, which are OpenCV's defaults too.
enum JPEGDecoder {
  static let signature: [UInt8] = [0xff, 0xd8]

  /// - Parameter target: the upright size that the picture must cover; nil: the size that it has.
  static func decode(
    _ file: [UInt8], covering target: ImageSize?, _ rules: PictureRules, _ pool: PixelPool
  ) throws -> DecodedImage {
    guard let handle = tjInitDecompress() else { throw ImageFault("libjpeg-turbo cannot start") }
    defer { tjDestroy(handle) }
    let markers = JPEGMarkers(file)
    // A file that lacks nothing but its end marker is whole (COCO has such pictures): it gets one. Whether it lacks
    // more shows in the scan, unless the file is progressive: that may have lost whole scans.
    guard markers.isComplete || !markers.isProgressive else { throw ImageFault.cutShort }
    let bytes = markers.isComplete ? file : file + [0xff, 0xd9]
    let (fullSize, isInk) = try readHeader(handle, bytes, rules)
    let orientation = rules.orientation(markers.orientation)
    let reduction = reduction(of: fullSize, orientation: orientation, covering: target)
    let size = ImageSize(
      height: (fullSize.height + reduction - 1) / reduction, width: (fullSize.width + reduction - 1) / reduction)
    var pixels = pool.take(size.height * size.width * (isInk ? 4 : 3))
    try pixels.withUnsafeMutableBufferPointer { buffer in
      // The library leaves rows unwritten where it stops early.
      buffer.update(repeating: 0)
      let status = tjDecompress2(
        handle, bytes, UInt(bytes.count), buffer.baseAddress, Int32(size.width), 0, Int32(size.height),
        (isInk ? TJPF_CMYK : TJPF_BGR).rawValue, TJFLAG_LIMITSCANS)
      if status != 0 { try check(handle, isComplete: markers.isComplete) }
    }
    let image = DecodedImage(
      size, isInk ? blueGreenRed(ink: pixels) : pixels, fullSize: fullSize, reduction: reduction)
    return image.upright(orientation: orientation)
  }

  /// The stored size, from a file's beginning.
  static func size(of start: [UInt8], _ rules: PictureRules) throws -> ImageSize {
    guard let handle = tjInitDecompress() else { throw ImageFault("libjpeg-turbo cannot start") }
    defer { tjDestroy(handle) }
    return try readHeader(handle, start, rules).size
  }

  /// The largest of 8, 4, 2 by which the picture can be made smaller and still covers the target; else 1. (The other
  /// eighths, which the library has too, cost more than the full size: they are not vectorised there.)
  private static func reduction(of size: ImageSize, orientation: Int, covering target: ImageSize?) -> Int {
    guard let target else { return 1 }
    let (height, width) =
      orientation >= 5 ? (target.width, target.height) : (target.height, target.width)
    return [8, 4, 2].first { reduction in
      // Mirrored, the border's pixels that stand for less would come first, where none are expected.
      let isEven = size.height % reduction == 0 && size.width % reduction == 0
      return height * reduction <= size.height && width * reduction <= size.width && (isEven || orientation == 1)
    } ?? 1
  }

  private static func readHeader(
    _ handle: tjhandle, _ bytes: [UInt8], _ rules: PictureRules
  ) throws -> (size: ImageSize, isInk: Bool) {
    var (width, height, subsampling, colorSpace) = (Int32(0), Int32(0), Int32(0), Int32(0))
    guard
      tjDecompressHeader3(handle, bytes, UInt(bytes.count), &width, &height, &subsampling, &colorSpace) == 0
        || tjGetErrorCode(handle) == TJERR_WARNING.rawValue
    else { throw ImageFault("the JPEG header is damaged: \(message(handle))") }
    // Tables without a picture are legal JPEG; here it is a file that ended early.
    guard width != 0 || height != 0 else { throw ImageFault.cutShort }
    try rules.check(width: Int(width), height: Int(height))
    let isInk = [TJCS_CMYK.rawValue, TJCS_YCCK.rawValue].contains(UInt32(bitPattern: colorSpace))
    return (ImageSize(height: Int(height), width: Int(width)), isInk)
  }

  /// Stray bytes between markers are harmless (some of COCO's pictures have them); data that ends early is not.
  private static func check(_ handle: tjhandle, isComplete: Bool) throws {
    let text = message(handle)
    if !isComplete || text.lowercased().contains("premature end") { throw ImageFault.cutShort }
    guard tjGetErrorCode(handle) == TJERR_WARNING.rawValue else {
      throw ImageFault("the JPEG data is damaged: \(text)")
    }
  }

  private static func message(_ handle: tjhandle) -> String {
    tjGetErrorStr2(handle).map { String(cString: $0) } ?? "no reason given"
  }

  /// Adobe's programs store inks inverted, so that 255 is no ink: R = C·K/255, and so on.
  private static func blueGreenRed(ink: [UInt8]) -> [UInt8] {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(ink.count / 4 * 3)
    for start in stride(from: 0, to: ink.count, by: 4) {
      let black = Int(ink[start + 3])
      for channel in [2, 1, 0] { pixels.append(UInt8((Int(ink[start + channel]) * black + 127) / 255)) }
    }
    return pixels
  }
}
