internal import CTurboJPEG

/// JPEG by libjpeg-turbo, with its accurate DCT and smooth chroma upsampling, which are OpenCV's defaults too.
enum JPEGDecoder {
  static let signature: [UInt8] = [0xff, 0xd8]

  static func decode(_ file: [UInt8]) throws -> DecodedImage {
    guard let handle = tjInitDecompress() else { throw ImageFault("libjpeg-turbo cannot start") }
    defer { tjDestroy(handle) }
    let markers = JPEGMarkers(file)
    // A file that lacks nothing but its end marker is whole (COCO has such pictures): it gets one. Whether it lacks
    // more shows in the scan, unless the file is progressive: that may have lost whole scans.
    guard markers.isComplete || !markers.isProgressive else { throw ImageFault.cutShort }
    let bytes = markers.isComplete ? file : file + [0xff, 0xd9]
    let header = try readHeader(handle, bytes)
    let isInk = header.colorSpace == TJCS_CMYK.rawValue || header.colorSpace == TJCS_YCCK.rawValue
    let format = isInk ? TJPF_CMYK : TJPF_BGR
    let count = header.width * header.height * (isInk ? 4 : 3)
    let pixels = try [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      // The library leaves rows unwritten where it stops early.
      buffer.initialize(repeating: 0)
      let status = tjDecompress2(
        handle, bytes, UInt(bytes.count), buffer.baseAddress, Int32(header.width), 0, Int32(header.height),
        format.rawValue, TJFLAG_LIMITSCANS)
      initializedCount = count
      if status != 0 { try check(handle, isComplete: markers.isComplete) }
    }
    let image = DecodedImage(
      height: header.height, width: header.width, pixels: isInk ? blueGreenRed(ink: pixels) : pixels)
    return image.upright(orientation: markers.orientation)
  }

  private static func readHeader(
    _ handle: tjhandle, _ bytes: [UInt8]
  ) throws -> (width: Int, height: Int, colorSpace: UInt32) {
    var (width, height, subsampling, colorSpace) = (Int32(0), Int32(0), Int32(0), Int32(0))
    guard
      tjDecompressHeader3(handle, bytes, UInt(bytes.count), &width, &height, &subsampling, &colorSpace) == 0
        || tjGetErrorCode(handle) == TJERR_WARNING.rawValue
    else { throw ImageFault("the JPEG header is damaged: \(message(handle))") }
    // Tables without a picture are legal JPEG; here it is a file that ended early.
    guard width != 0 || height != 0 else { throw ImageFault.cutShort }
    try ImageFault.checkSize(width: Int(width), height: Int(height))
    return (Int(width), Int(height), UInt32(bitPattern: colorSpace))
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
